//! The text of a configuration.
#![no_main]

use libfuzzer_sys::fuzz_target;
use taskhead::sweep::config::Config;

fuzz_target!(|text: &str| {
    if let Ok(config) = toml::from_str::<Config>(text)
        && config.validate().is_ok()
    {
        let _ = config.cells();
        let written = toml::to_string(&config).expect("a configuration is plain data");
        assert_eq!(toml::from_str::<Config>(&written).as_ref(), Ok(&config));
    }
});
