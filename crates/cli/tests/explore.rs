//! `taskhead explore` serves the page.
#![cfg(feature = "explore")]

mod common;

use std::process::Command;

use common::{folder, refuse};

#[test]
fn explore_serves_a_built_page_on_this_computer_only() {
    use std::io::{BufRead, BufReader, Read, Write};
    use std::process::Stdio;

    let folder = folder();
    let page = folder.path().join("page");
    std::fs::create_dir_all(page.join("fonts")).unwrap();
    for (name, text) in [("index.html", "<p>here"), ("engine.wasm", "\0asm"), ("fonts/a.woff2", "font")]
    {
        std::fs::write(page.join(name), text).unwrap();
    }
    let mut server = Command::new(env!("CARGO_BIN_EXE_taskhead"))
        .args(["explore", "--no-open", "--quiet", "--page"])
        .arg(&page)
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut url = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut url).unwrap();
    let address = url.trim().strip_prefix("http://").unwrap().trim_end_matches('/').to_owned();
    let port = address.strip_prefix("127.0.0.1:").expect("this computer only").to_owned();
    let ask = |method: &str, path: &str| {
        let mut stream = std::net::TcpStream::connect(&address).unwrap();
        write!(stream, "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")
            .unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    };
    let home = ask("GET", "/?y=1#laws");
    assert!(home.starts_with("HTTP/1.1 200") && home.contains("text/html") && home.ends_with("<p>here"));
    assert!(ask("GET", "/engine.wasm").contains("application/wasm"));
    assert!(ask("GET", "/fonts/a.woff2").ends_with("font"));
    for path in ["/nothing", "/../page/index.html", "/fonts", "//index.html"] {
        assert!(ask("GET", path).starts_with("HTTP/1.1 404"), "{path}");
    }
    assert!(ask("POST", "/").starts_with("HTTP/1.1 405"));

    let taken = refuse(folder.path(), &["explore", "--no-open", "--page", "page", "--port", &port]);
    assert!(taken.starts_with(&format!("error: port {port} of 127.0.0.1 cannot be used: ")), "{taken}");
    server.kill().unwrap();
    server.wait().unwrap();
}

/// Where everyone may come, the address told is one that others can use.
#[test]
fn explore_serves_at_the_address_it_is_given() {
    use std::io::{BufRead, BufReader, Read, Write};
    use std::process::Stdio;

    let folder = folder();
    for name in ["index.html", "engine.wasm"] {
        std::fs::write(folder.path().join(name), name).unwrap();
    }
    let mut server = Command::new(env!("CARGO_BIN_EXE_taskhead"))
        .args(["explore", "--no-open", "--quiet", "--host", "0.0.0.0", "--page"])
        .arg(folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut url = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut url).unwrap();
    let address = url.trim().strip_prefix("http://").unwrap().trim_end_matches('/').to_owned();
    let port = address.rsplit_once(':').unwrap().1.to_owned();
    for address in [address.clone(), format!("127.0.0.1:{port}")] {
        let mut stream = std::net::TcpStream::connect(&address).unwrap();
        write!(stream, "GET / HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{address}: {answer}");
    }
    server.kill().unwrap();
    server.wait().unwrap();
    assert!(!address.starts_with("0.0.0.0"), "{address}");
    let wrong = refuse(folder.path(), &["explore", "--host", "nowhere"]);
    assert!(wrong.contains("nowhere") && wrong.contains("--host"), "{wrong}");
}

#[test]
fn explore_needs_the_built_page() {
    let folder = folder();
    let missing = refuse(folder.path(), &["explore", "--no-open", "--page", "nowhere"]);
    assert!(missing.starts_with("error: nowhere: cannot be read: "), "{missing}");
    std::fs::create_dir(folder.path().join("empty")).unwrap();
    let empty = refuse(folder.path(), &["explore", "--no-open", "--page", "empty"]);
    assert!(empty.contains("index.html is missing; scripts/build-web makes it"), "{empty}");
    let port = refuse(folder.path(), &["explore", "--port", "70000"]);
    assert!(port.contains("it must be a whole number from 0 to 65535\n"), "{port}");
}
