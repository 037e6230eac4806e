//! Configurations in TOML: of a sweep, and of a replay.

use taskhead::sweep::config::Config;

use crate::reader::{Reader, bounded};

/// Bytes of a token with its place. The parser of TOML holds those of the whole text, and a token may be a single byte;
/// a text of more than `taskhead_files::MAX_CONFIGURATION` bytes is not read.
const TOKEN: usize = 20;

/// Bytes of all levels of brackets that it goes down, however short the text.
const NESTED: usize = 80 << 10;

/// The configuration of a sweep. What is valid is written as it was read.
pub const CONFIG: Reader = Reader {
    name: "config",
    read: |bytes| {
        let Ok(text) = std::str::from_utf8(bytes) else { return false };
        let mut read = None;
        let accepted = bounded(
            text.len(),
            || NESTED + TOKEN * text.len(),
            || {
                read = toml::from_str::<Config>(text).ok().filter(|config| config.validate().is_ok());
                read.is_some()
            },
        );
        if let Some(config) = read {
            assert!(config.cells() > 0);
            let written = toml::to_string(&config).expect("a configuration is plain data");
            assert_eq!(toml::from_str::<Config>(&written).as_ref(), Ok(&config));
        }
        accepted
    },
    seeds: || {
        let all = [
            "[problem]\nkind = \"rank-one\"\n",
            include_str!("../../golden/random.toml"),
            include_str!("../../golden/digits.toml"),
            "times = [0.5, inf]\nloss = \"cross-entropy\"\nuntil-loss = 0.1\nrtol = 1e-9\nmax-steps = 10\nmax-time = 1.5\n\
             metrics = [\"dot\", \"norm\"]\nmethod = \"flow\"\n[problem]\nkind = \"file\"\npath = \"features.npz\"\n[heads]\n\
             seeds = 2\nfirst-seed = 3\nscales = [0.5, 1]\nsmoothings = [0.1]\nhead-rates = [0.0, 1.0]\n[probe]\ntimes = \
             [1, inf]\n",
        ];
        all.map(|text| text.as_bytes().to_vec()).to_vec()
    },
    words,
};

/// The configuration of a replay.
#[cfg(feature = "images")]
pub const REPLAY: Reader = Reader {
    name: "replay",
    read: |bytes| {
        use taskhead_replay::config::Config;
        let Ok(text) = std::str::from_utf8(bytes) else { return false };
        let mut read = None;
        let accepted = bounded(
            text.len(),
            || TOKEN * text.len(),
            || {
                read = Config::parse(text).ok().filter(|config| config.validate().is_ok());
                read.is_some()
            },
        );
        if let Some(config) = read {
            let written = toml::to_string(&config).expect("a configuration is plain data");
            assert_eq!(Config::parse(&written).as_ref(), Ok(&config));
        }
        accepted
    },
    seeds: || {
        use taskhead_replay::config::{Config, SETTINGS};
        let preset =
            |name: &&str| toml::to_string(&Config::preset(name).expect("a preset")).expect("plain data");
        let short = "[data]\nkind = \"digits\"\n[finetune]\nrate = 0.5\n[probe]\ntimes = [0.0, 1.0]\n"
            .to_owned();
        [short].into_iter().chain(SETTINGS.iter().map(preset)).map(String::into_bytes).collect()
    },
    words,
};

fn words() -> Vec<&'static str> {
    vec![
        "times = ",
        "loss = ",
        "until-loss = ",
        "until-accuracy = ",
        "method = ",
        "rtol = ",
        "max-steps = ",
        "max-time = ",
        "metrics = ",
        "[problem]\n",
        "kind = ",
        "\"gaussian\"",
        "\"rank-one\"",
        "\"digits\"",
        "\"file\"",
        "path = ",
        "samples = ",
        "inputs = ",
        "width = ",
        "outputs = ",
        "held-out = ",
        "teacher-angle = ",
        "target = ",
        "[heads]\n",
        "seeds = ",
        "first-seed = ",
        "scales = ",
        "smoothings = ",
        "head-rates = ",
        "[probe]\n",
        "energies = ",
        "points = ",
        "inf",
        "nan",
        "-0.0",
        "1e400",
        "9223372036854775807",
        "\"cross-entropy\"",
        "\"squared\"",
        "\"flow\"",
        "\"closed-form\"",
        "\"\"\"",
        "'''",
        "[[",
        "]]",
        "{",
        "}",
        "[data]\n",
        "\"files\"",
        "\"linear\"",
        "folder = ",
        "source = ",
        "classes = ",
        "[backbone]\n",
        "channels = ",
        "blocks = ",
        "widths = ",
        "[[head]]\n",
        "hidden = ",
        "[pretrain]\n",
        "epochs = ",
        "weights = ",
        "[probing]\n",
        "longest = ",
        "[finetune]\n",
        "rate = ",
        "momentum = ",
        "batch = ",
        "dtype = ",
        "\"f32\"",
    ]
}
