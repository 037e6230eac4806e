//! `taskhead explore`: serves the explorer on this computer and opens it in a browser.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, anyhow, bail};
use tiny_http::{Header, Method, Request, Response, Server};

/// Flags of the command.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The page is a folder of files that scripts/build-web makes once; any web server can \
    serve it. Settings of the page are in its address, so that a link leads to an exact situation.\n\nExamples:\n  \
    taskhead explore\n  \
    taskhead explore --port 8080 --no-open"
)]
pub struct Args {
    /// Port on 127.0.0.1; 0 takes a free one.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Open no browser.
    #[arg(long)]
    no_open: bool,
    /// Folder of the built page.
    #[arg(long, value_name = "FOLDER")]
    page: Option<PathBuf>,
}

/// What the page cannot do without.
const NEEDED: [&str; 2] = ["/index.html", "/engine.wasm"];

/// Runs the command until it is interrupted.
pub fn run(args: &Args, quiet: bool) -> Result<ExitCode> {
    let page = match &args.page {
        Some(folder) => Page::read(folder)?,
        None => Page::find()?,
    };
    let server = Server::http(("127.0.0.1", args.port))
        .map_err(|e| anyhow!("port {} of 127.0.0.1 cannot be used: {e}", args.port))?;
    let address = server.server_addr().to_ip().context("the server has no address")?;
    let url = format!("http://{address}/");
    println!("{url}");
    std::io::stdout().flush()?;
    if !quiet {
        eprintln!("The explorer runs at this address until you press Ctrl+C.");
    }
    if !args.no_open
        && let Err(error) = open::that_detached(&url)
    {
        eprintln!("warning: no browser could be opened ({error}); open {url} yourself");
    }
    for request in server.incoming_requests() {
        // A browser that went away is no reason to stop.
        let _ = page.answer(request);
    }
    Ok(ExitCode::SUCCESS)
}

/// The files of the page by their path in the address.
struct Page(BTreeMap<String, Vec<u8>>);

impl Page {
    /// The page that is installed beside the program, or that was built in its source.
    fn find() -> Result<Self> {
        let installed = std::env::current_exe()
            .ok()
            .and_then(|exe| Some(exe.parent()?.join("../share/taskhead/web")));
        let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("web/dist");
        let folders: Vec<PathBuf> = installed.into_iter().chain([built]).collect();
        match folders.iter().find(|folder| folder.is_dir()) {
            Some(folder) => Self::read(folder),
            None => bail!(
                "the page is not built: there is no folder {}; run scripts/build-web in the source once, or \
                 name the folder with --page",
                folders
                    .iter()
                    .map(|f| f.display().to_string())
                    .collect::<Vec<_>>()
                    .join(" and no folder ")
            ),
        }
    }

    fn read(folder: &Path) -> Result<Self> {
        let mut files = BTreeMap::new();
        add(folder, "", &mut files)?;
        if let Some(missing) = NEEDED.iter().find(|name| !files.contains_key(**name)) {
            bail!(
                "{}: this is not the built page: {} is missing; scripts/build-web makes it",
                folder.display(),
                &missing[1..]
            );
        }
        Ok(Self(files))
    }

    fn answer(&self, request: Request) -> std::io::Result<()> {
        if !matches!(request.method(), Method::Get | Method::Head) {
            return request.respond(Response::empty(405));
        }
        let path = request.url().split(['?', '#']).next().unwrap_or("/");
        let path = if path == "/" { "/index.html" } else { path };
        let Some(bytes) = self.0.get(path) else {
            return request.respond(Response::from_string("not found").with_status_code(404));
        };
        let response = Response::from_data(bytes.clone()).with_header(content_type(path));
        request.respond(response)
    }
}

/// Adds the files of a folder and of the folders in it.
fn add(folder: &Path, prefix: &str, files: &mut BTreeMap<String, Vec<u8>>) -> Result<()> {
    let entries =
        std::fs::read_dir(folder).with_context(|| format!("{}: cannot be read", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let address = format!("{prefix}/{name}");
        if path.is_dir() {
            add(&path, &address, files)?;
        } else {
            let bytes =
                std::fs::read(&path).with_context(|| format!("{}: cannot be read", path.display()))?;
            files.insert(address, bytes);
        }
    }
    Ok(())
}

fn content_type(path: &str) -> Header {
    let value = match path.rsplit_once('.').map(|(_, extension)| extension) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("json") => "application/json",
        Some("wasm") => "application/wasm",
        Some("woff2") => "font/woff2",
        _ => "application/octet-stream",
    };
    Header::from_bytes("Content-Type", value).expect("a valid header")
}
