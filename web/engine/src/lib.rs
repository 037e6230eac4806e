//! The core of `taskhead` for the explorer: every number on the page comes from here.
//!
//! Each function takes and returns plain objects. What is wrong with an argument is thrown as a text.

mod family;
mod forces;
mod phase;
mod probing;
mod refusal;
mod runs;
mod scene;

use refusal::said;
use serde::Serialize;
use serde::de::DeserializeOwned;
use wasm_bindgen::prelude::*;

/// The rank-one model at one probing time and one finetuning time.
#[wasm_bindgen]
pub fn scene(setting: JsValue) -> Result<JsValue, JsValue> {
    answer(setting, scene::scene)
}

/// The probing time of the rank-one model that leaves an energy.
#[wasm_bindgen]
pub fn probe_time(wanted: JsValue) -> Result<JsValue, JsValue> {
    answer(wanted, scene::probe_time)
}

/// The curves of the rank-one model against energy.
#[wasm_bindgen]
pub fn family(setting: JsValue) -> Result<JsValue, JsValue> {
    answer(setting, family::family)
}

/// What head probing leaves of a random problem, mode by mode.
#[wasm_bindgen]
pub fn probing(setting: JsValue) -> Result<JsValue, JsValue> {
    answer(setting, probing::probing)
}

/// How two features and a held-out one are pulled at the start of finetuning, and where they end.
#[wasm_bindgen]
pub fn forces(setting: JsValue) -> Result<JsValue, JsValue> {
    answer(setting, forces::forces)
}

/// Where a law goes on beyond E = y, certified.
#[wasm_bindgen]
pub fn phase(setting: JsValue) -> Result<JsValue, JsValue> {
    answer(setting, phase::phase)
}

/// The curve of a random problem against energy.
#[wasm_bindgen]
pub fn curves(setting: JsValue) -> Result<JsValue, JsValue> {
    answer(setting, |s| runs::curve(s, &told))
}

/// Downstream risk of a random problem over probing times.
#[wasm_bindgen]
pub fn downstream(setting: JsValue) -> Result<JsValue, JsValue> {
    answer(setting, |s| runs::downstream(s, &told))
}

/// The curve of a problem file of `taskhead simulate`, from its arrays.
#[wasm_bindgen]
pub fn file(file: JsValue) -> Result<JsValue, JsValue> {
    answer(file, |f| runs::of_file(f, &told))
}

/// What several curves do, in words.
#[wasm_bindgen]
pub fn shapes(setting: JsValue) -> Result<JsValue, JsValue> {
    answer(setting, runs::shapes)
}

/// Quantiles of several curves, point by point.
#[wasm_bindgen]
pub fn band(setting: JsValue) -> Result<JsValue, JsValue> {
    answer(setting, runs::band)
}

#[cfg(target_arch = "wasm32")]
#[wasm_bindgen]
extern "C" {
    /// A function of the page: it is told how many points of a curve are done. Every thread that computes curves
    /// defines it.
    #[wasm_bindgen(js_name = taskheadTold)]
    fn page_hears(done: usize);
}

/// Tells the page how many points of a curve are done.
fn told(done: usize) {
    #[cfg(target_arch = "wasm32")]
    page_hears(done);
    let _ = done;
}

fn answer<S: DeserializeOwned, A: Serialize>(
    setting: JsValue,
    compute: impl FnOnce(S) -> Result<A, String>,
) -> Result<JsValue, JsValue> {
    give(serde_wasm_bindgen::from_value(setting).map_err(said).and_then(compute))
}

/// An answer for the page; structures become objects, also where they are made of other ones.
fn give(answer: Result<impl Serialize, String>) -> Result<JsValue, JsValue> {
    let objects = serde_wasm_bindgen::Serializer::new().serialize_maps_as_objects(true);
    answer.and_then(|a| a.serialize(&objects).map_err(said)).map_err(|text| JsValue::from_str(&text))
}
