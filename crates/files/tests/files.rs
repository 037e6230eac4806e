//! Files as other programs write them, and files that are damaged in every way.

use std::io::{Cursor, Write};
use std::path::PathBuf;

use nalgebra::{DMatrix, dmatrix};
use npyz::{Order, WriterBuilder};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use taskhead_files::{Note, ProblemFile, read_problem, write_result};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// N = 3, h = 2, k = 1, P = 1, in numbers that f32 holds exactly.
struct Parts {
    features: DMatrix<f64>,
    kernel: DMatrix<f64>,
    targets: DMatrix<f64>,
    head: DMatrix<f64>,
}

fn parts() -> Parts {
    Parts {
        features: dmatrix![1.0, 0.5; -2.0, 0.25; 4.0, 8.0],
        kernel: dmatrix![2.0, 1.0, 0.5; 1.0, 3.0, 0.0; 0.5, 0.0, 1.0],
        targets: dmatrix![1.0; -1.0; 0.5],
        head: dmatrix![0.125; -0.75],
    }
}

/// A .npy array of this type ("<f4", ">f8" …), shape and order.
fn npy(matrix: &DMatrix<f64>, dtype: &str, shape: &[u64], order: Order) -> Vec<u8> {
    let mut bytes = Vec::new();
    let dtype = npyz::DType::new_scalar(dtype.parse().unwrap());
    let values = match order {
        Order::C => matrix.transpose(),
        Order::Fortran => matrix.clone(),
    };
    macro_rules! write_as {
        ($t:ty) => {{
            let options = npyz::WriteOptions::<$t>::new().dtype(dtype).shape(shape).order(order);
            let mut writer = options.writer(&mut bytes).begin_nd().unwrap();
            writer.extend(values.iter().map(|&x| x as $t)).unwrap();
            writer.finish().unwrap();
        }};
    }
    match dtype.descr().as_str() {
        "'<f4'" | "'>f4'" => write_as!(f32),
        "'<f8'" | "'>f8'" => write_as!(f64),
        "'<i8'" => write_as!(i64),
        other => panic!("{other}"),
    }
    bytes
}

/// A zip archive of these members.
fn archive(members: &[(&str, Vec<u8>)], method: CompressionMethod) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in members {
        zip.start_file(*name, SimpleFileOptions::default().compression_method(method)).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// The problem as `np.savez` or `np.savez_compressed` would write it.
fn npz(dtype: &str, order: Order, method: CompressionMethod) -> Vec<u8> {
    let Parts { features, kernel, targets, head } = parts();
    let members = [
        ("features.npy", npy(&features, dtype, &[3, 2], order)),
        ("kernel.npy", npy(&kernel, dtype, &[3, 3], order)),
        ("targets.npy", npy(&targets, dtype, &[3], order)),
        ("head.npy", npy(&head, dtype, &[2, 1], order)),
    ];
    archive(&members, method)
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// The message for a file of this content.
    fn refuse(&self, bytes: &[u8]) -> String {
        read_problem(self.write("p.npz", bytes)).unwrap_err().fault.to_string()
    }
}

fn is_the_problem(file: &ProblemFile) -> bool {
    let Parts { features, kernel, targets, head } = parts();
    file.problem.features() == &features
        && file.problem.kernel().to_matrix() == kernel
        && file.problem.targets() == &targets
        && file.head.as_ref() == Some(&head)
        && file.problem.held_out().is_none()
}

#[test]
fn every_form_that_numpy_writes_is_read() {
    let folder = Folder::new();
    for dtype in ["<f4", ">f4", "<f8", ">f8"] {
        for order in [Order::C, Order::Fortran] {
            for method in [CompressionMethod::Stored, CompressionMethod::Deflated] {
                let path = folder.write("p.npz", &npz(dtype, order, method));
                let file = read_problem(&path).unwrap();
                assert!(is_the_problem(&file), "{dtype} {order:?} {method:?}");
            }
        }
    }
}

/// "array `features` is damaged (compression method not supported: 12)"
#[test]
fn other_ways_to_pack_are_named() {
    let folder = Folder::new();
    // Writes into the headers of all members, in front of them and in the directory, so many bytes behind their marks.
    let patched = |[local, central]: [usize; 2], value: u8| {
        let mut bytes = npz("<f8", Order::C, CompressionMethod::Deflated);
        for (mark, at) in [(b"PK\x03\x04", local), (b"PK\x01\x02", central)] {
            let found: Vec<usize> =
                (0..bytes.len() - 4).filter(|&i| bytes[i..].starts_with(mark)).collect();
            assert_eq!(found.len(), 4);
            found.into_iter().for_each(|start| bytes[start + at] = value);
        }
        folder.refuse(&bytes)
    };
    let accepted = "; accepted: stored or compressed with deflate, as numpy.savez and numpy.savez_compressed write it";
    for (method, name) in [(9, "deflate64"), (12, "bzip2"), (14, "lzma"), (93, "zstd"), (95, "xz")] {
        let expected = format!("array `features` is compressed with {name}{accepted}");
        assert_eq!(patched([8, 10], method), expected);
    }
    assert!(patched([8, 10], 77).starts_with("array `features` is compressed in another way ("));
    assert_eq!(patched([6, 8], 1), format!("array `features` is encrypted{accepted}"));
}

#[test]
fn the_content_decides_and_not_the_name() {
    let folder = Folder::new();
    let Parts { features, kernel, targets, head } = parts();
    let arrays = [("features", &features), ("kernel", &kernel), ("targets", &targets), ("head", &head)];
    for (written, name) in [("a.npz", "b.safetensors"), ("a.safetensors", "b.npz")] {
        write_result(folder.path(written), &arrays).unwrap();
        std::fs::rename(folder.path(written), folder.path(name)).unwrap();
        assert!(is_the_problem(&read_problem(folder.path(name)).unwrap()));
    }
}

#[test]
fn a_kernel_in_single_precision_may_have_its_rounding() {
    let folder = Folder::new();
    let read = |kernel_type: &str, gap: f64| {
        let Parts { features, mut kernel, targets, head } = parts();
        kernel[(0, 1)] += gap;
        let members = [
            ("features.npy", npy(&features, "<f8", &[3, 2], Order::C)),
            ("kernel.npy", npy(&kernel, kernel_type, &[3, 3], Order::C)),
            ("targets.npy", npy(&targets, "<f8", &[3, 1], Order::C)),
            ("head.npy", npy(&head, "<f8", &[2], Order::C)),
        ];
        let path = folder.write("p.npz", &archive(&members, CompressionMethod::Stored));
        read_problem(path).map(|_| ()).map_err(|e| e.fault.to_string())
    };
    assert_eq!(read("<f4", 1e-6), Ok(()));
    assert!(read("<f8", 1e-6).unwrap_err().contains("the kernel is not symmetric"));
    assert!(read("<f4", 1e-3).unwrap_err().contains("the kernel is not symmetric"));
}

#[test]
fn other_files_are_told_what_they_are() {
    let folder = Folder::new();
    let accepted = "accepted: .npz and .safetensors files, folders of .npy files";
    assert_eq!(folder.refuse(b""), "the file is empty");
    let text = folder.refuse(b"x,y\n1,2\n");
    assert_eq!(text, format!(r#"this is text that begins with "x,y\n1,2\n"; {accepted}"#));
    let single = npy(&dmatrix![1.0], "<f8", &[1, 1], Order::C);
    assert!(
        folder.refuse(&single).starts_with("this is a single array `p`, whose name has no meaning here")
    );
    let torch = archive(&[("archive/data.pkl", vec![0x80, 2])], CompressionMethod::Stored);
    assert!(
        folder.refuse(&torch).starts_with("the archive holds no .npy array; found: `archive/data.pkl`")
    );
    let none = archive(&[], CompressionMethod::Stored);
    assert!(
        folder.refuse(&none).starts_with("missing: `features`, `labels` or `targets`; found: nothing; ")
    );
    let other = npy(&dmatrix![1.0; 2.0], "<f8", &[2, 1], Order::C);
    let members = [("features.npy", b"hello, hello".to_vec()), ("targets.npy", other)];
    let text = folder.refuse(&archive(&members, CompressionMethod::Stored));
    assert!(text.contains("array `features` is not that of a plain array"), "{text}");
    let missing = read_problem(folder.path("none.npz")).unwrap_err().to_string();
    assert!(missing.contains("none.npz: cannot open: "), "{missing}");
    let whole = read_problem(folder.0.path()).unwrap_err().to_string();
    assert!(whole.ends_with(": the folder holds no .npy array; found: `p.npz`"), "{whole}");
    #[cfg(target_os = "linux")]
    {
        let device = read_problem("/dev/zero").unwrap_err().to_string();
        assert_eq!(device, "/dev/zero: this is a pipe or device, not a file");
    }
}

#[test]
fn members_of_one_name_are_refused() {
    let folder = Folder::new();
    let one = npy(&dmatrix![1.0], "<f8", &[1, 1], Order::C);
    let members = [("head.npy", one.clone()), ("xead.npy", one)];
    let mut bytes = archive(&members, CompressionMethod::Stored);
    for i in 0..bytes.len() - 8 {
        if &bytes[i..i + 8] == b"xead.npy" {
            bytes[i] = b'h';
        }
    }
    assert_eq!(folder.refuse(&bytes), "two members of the archive have the same name");
}

#[test]
fn a_promise_of_much_data_costs_nothing() {
    let folder = Folder::new();
    for (shape, message) in [
        ("(100000000, 100000000)", "needs 80000000000000000 bytes, but the file holds 8"),
        ("(999999999, 999999999)", "needs 7999999984000000008 bytes, but the file holds 8"),
        ("(1000000000, 10000000000)", "claims the shape [1000000000, 10000000000], which is too large"),
    ] {
        let mut head = b"\x93NUMPY\x01\x00\x76\x00".to_vec();
        let text = format!("{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}");
        head.extend(format!("{text:117}\n").bytes());
        head.extend(1.0_f64.to_le_bytes());
        for method in [CompressionMethod::Stored, CompressionMethod::Deflated] {
            let refused = folder.refuse(&archive(&[("head.npy", head.clone())], method));
            assert!(refused.contains(message), "{refused}");
        }
    }
    let header =
        r#"{"head":{"dtype":"F64","shape":[1000000,1000000],"data_offsets":[0,8000000000000]}}"#;
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.bytes());
    bytes.extend(1.0_f64.to_le_bytes());
    assert!(folder.refuse(&bytes).contains("incomplete metadata"), "{}", folder.refuse(&bytes));
}

/// Problem files of each kind, small.
fn problem_files() -> [(&'static str, Vec<u8>); 3] {
    let folder = Folder::new();
    let Parts { features, kernel, targets, head } = parts();
    let arrays = [("features", &features), ("kernel", &kernel), ("targets", &targets), ("head", &head)];
    let path = folder.path("p.safetensors");
    write_result(&path, &arrays).unwrap();
    [
        ("stored", npz("<f8", Order::C, CompressionMethod::Stored)),
        ("deflated", npz("<f4", Order::Fortran, CompressionMethod::Deflated)),
        ("safetensors", std::fs::read(path).unwrap()),
    ]
}

#[test]
fn a_problem_that_is_cut_anywhere_is_refused() {
    let folder = Folder::new();
    for (kind, bytes) in problem_files() {
        let path = folder.write(kind, &bytes);
        assert!(is_the_problem(&read_problem(&path).unwrap()));
        let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
        for length in (0..bytes.len()).rev() {
            file.set_len(length as u64).unwrap();
            assert!(read_problem(&path).is_err(), "{kind}, {length} of {} bytes", bytes.len());
        }
    }
}

/// Changes some bytes, or takes some out or puts some in.
fn damage(bytes: &[u8], random: &mut ChaCha8Rng) -> Vec<u8> {
    let mut damaged = bytes.to_vec();
    for _ in 0..random.random_range(1..4) {
        let at = random.random_range(0..damaged.len());
        match random.random_range(0..8) {
            0 => drop(damaged.remove(at)),
            1 => damaged.insert(at, random.random_range(0..=255)),
            2 => damaged[at] = [0, 1, 0x7f, 0x80, 0xff][random.random_range(0..5)],
            _ => damaged[at] ^= 1 << random.random_range(0..8),
        }
    }
    damaged
}

#[test]
fn a_damaged_problem_never_panics_and_an_archive_is_never_misread() {
    let folder = Folder::new();
    let mut random = ChaCha8Rng::seed_from_u64(1);
    for (kind, bytes) in problem_files() {
        let (mut refused, rounds) = (0, 3000);
        for round in 0..rounds {
            let path = folder.write("p", &damage(&bytes, &mut random));
            match read_problem(&path) {
                // The checksums of a zip archive cover all values, but not the names of its members.
                Ok(file) if kind != "safetensors" => {
                    let renamed = |note: &Note| {
                        matches!(note, Note::Like { .. } | Note::Unused { .. } | Note::Skipped { .. })
                    };
                    let told = file.notes.iter().any(renamed);
                    assert!(told || is_the_problem(&file), "{kind} {round}: {:?}", file.notes);
                }
                Ok(_) => {}
                Err(error) => {
                    refused += 1;
                    let text = error.to_string();
                    assert!(text.starts_with(&path.display().to_string()) && text.len() > 30, "{text}");
                }
            }
        }
        assert!(refused > rounds / 3, "{kind}: {refused} of {rounds}");
    }
}
