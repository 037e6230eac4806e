//! `taskhead explore`: serves the explorer on this computer and opens it in a browser.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use super::say;

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
    /// Do not open a browser.
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
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    runtime.block_on(serve(page, args, quiet))
}

async fn serve(page: Page, args: &Args, quiet: bool) -> Result<ExitCode> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, args.port))
        .await
        .with_context(|| format!("port {} of 127.0.0.1 cannot be used", args.port))?;
    let url = format!("http://{}/", listener.local_addr()?);
    say::line(&url)?;
    if !quiet {
        say::tell("", "The explorer runs at this address until you press Ctrl+C.");
    }
    if !args.no_open
        && let Err(error) = open::that_detached(&url)
    {
        say::warning(format_args!("no browser could be opened ({error}); open {url} yourself"));
    }
    let page = Arc::new(page);
    loop {
        let (stream, _) = listener.accept().await?;
        let page = Arc::clone(&page);
        tokio::spawn(async move {
            let service = service_fn(|request| {
                let answer = page.answer(&request);
                async move { Ok::<_, Infallible>(answer) }
            });
            // A browser that disconnects is no reason to stop.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

/// The files of the page by their path in the address.
struct Page(BTreeMap<String, Bytes>);

impl Page {
    /// The page that is installed beside the program, or that was built in its source.
    fn find() -> Result<Self> {
        let installed = std::env::current_exe()
            .ok()
            .and_then(|exe| Some(exe.parent()?.join("../share/taskhead/web")));
        let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../web/dist");
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

    fn answer<B>(&self, request: &Request<B>) -> Response<Full<Bytes>> {
        let only = |status, text: &'static str| {
            let mut response = Response::new(Full::from(text));
            *response.status_mut() = status;
            response
        };
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return only(StatusCode::METHOD_NOT_ALLOWED, "");
        }
        let path = request.uri().path();
        let path = if path == "/" { "/index.html" } else { path };
        let Some(bytes) = self.0.get(path) else {
            return only(StatusCode::NOT_FOUND, "not found");
        };
        let mut response = Response::new(Full::new(bytes.clone()));
        response.headers_mut().insert(CONTENT_TYPE, content_type(path));
        response
    }
}

/// Adds the files of a folder and of the folders in it.
fn add(folder: &Path, prefix: &str, files: &mut BTreeMap<String, Bytes>) -> Result<()> {
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
            files.insert(address, bytes.into());
        }
    }
    Ok(())
}

fn content_type(path: &str) -> HeaderValue {
    HeaderValue::from_static(match path.rsplit_once('.').map(|(_, extension)| extension) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("json") => "application/json",
        Some("wasm") => "application/wasm",
        Some("woff2") => "font/woff2",
        _ => "application/octet-stream",
    })
}
