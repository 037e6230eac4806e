//! `bindgen MODULE.wasm FOLDER`: writes the module and its JavaScript side for a page into a folder.

use anyhow::{Context, Result};
use wasm_bindgen_cli_support::Bindgen;

fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let (module, folder) = (args.next(), args.next());
    let (module, folder) = module.zip(folder).context("usage: bindgen MODULE.wasm FOLDER")?;
    Bindgen::new()
        .input_path(module)
        .out_name("engine")
        .web(true)?
        .typescript(false)
        .omit_default_module_path(true)
        .generate(folder)
}
