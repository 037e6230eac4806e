//! `taskhead explore`: serves the explorer on this computer and opens it in a browser.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
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
#[command(allow_negative_numbers = true)]
#[command(
    after_help = "The page is a part of this program if it was built with the feature `page`; else it is a folder of \
    files that scripts/build-web makes once, and that any web server can serve. Settings of the page are in its \
    address, so that a link leads to an exact situation.\n\nExamples:\n  \
    taskhead explore\n  \
    taskhead explore --port 8080 --no-open\n  taskhead explore --host 0.0.0.0 --port 8080"
)]
pub struct Args {
    /// Address of this computer to serve at: 127.0.0.1 for this computer alone, 0.0.0.0 for everyone who can reach it,
    /// such as a class in the same network.
    #[arg(long, value_name = "ADDRESS", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    host: IpAddr,
    /// Port; 0 takes a free one.
    #[arg(long, default_value_t = 0, value_parser = super::whole::<u16>(0..))]
    port: u16,
    /// Do not open a browser.
    #[arg(long)]
    no_open: bool,
    /// Folder of the built page, in the place of the one that this program has or finds.
    #[arg(long, value_name = "FOLDER")]
    page: Option<PathBuf>,
}

/// The files of the page that was built before the program, by their path in the address.
#[cfg(feature = "page")]
const INSIDE: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/page.rs"));
#[cfg(not(feature = "page"))]
const INSIDE: &[(&str, &[u8])] = &[];

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
    let listener = TcpListener::bind((args.host, args.port))
        .await
        .with_context(|| format!("port {} of {} cannot be used", args.port, args.host))?;
    let url = format!("http://{}/", reached_at(listener.local_addr()?));
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

/// The address to give to others: where the page is served at every address of this computer, the one that other
/// computers reach it at.
fn reached_at(served: SocketAddr) -> SocketAddr {
    if !served.ip().is_unspecified() {
        return served;
    }
    // Nothing is sent: connecting only chooses an address.
    let outside = UdpSocket::bind((served.ip(), 0)).and_then(|socket| {
        let other: IpAddr = if served.is_ipv4() {
            [192, 0, 2, 1].into()
        } else {
            "2001:db8::1".parse().expect("is one")
        };
        socket.connect((other, 9))?;
        socket.local_addr()
    });
    let here = if served.is_ipv4() {
        IpAddr::V4(Ipv4Addr::LOCALHOST)
    } else {
        std::net::Ipv6Addr::LOCALHOST.into()
    };
    SocketAddr::new(outside.map_or(here, |address| address.ip()), served.port())
}

/// The files of the page by their path in the address.
struct Page(BTreeMap<String, Bytes>);

impl Page {
    /// The page inside the program, else the one that is installed beside it or that was built in its source.
    fn find() -> Result<Self> {
        if !INSIDE.is_empty() {
            let files = INSIDE.iter().map(|(name, bytes)| (name.to_string(), Bytes::from_static(bytes)));
            return Ok(Self(files.collect()));
        }
        let installed = std::env::current_exe()
            .ok()
            .and_then(|exe| Some(exe.parent()?.join("../share/taskhead/web")));
        let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../web/dist");
        let folders: Vec<PathBuf> = installed.into_iter().chain([built]).collect();
        match folders.iter().find(|folder| folder.is_dir()) {
            Some(folder) => Self::read(folder),
            None => bail!(
                "this program was built without the page (feature `page`), and there is no folder {}; run \
                 scripts/build-web in the source once, or name the folder with --page",
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
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    })
}
