//! Features, labels and targets in every form that people export.

use nalgebra::{DMatrix, dmatrix};
use safetensors::Dtype;
use safetensors::tensor::TensorView;
use taskhead_files::{Note, ProblemFile, problem_of_bytes, read_problem};
use taskhead_readers::numpy::{FEATURES, archive, doubles, features, longs, npy, npy_of, npz, texts};
use zip::CompressionMethod::{Deflated, Stored};

fn read(members: &[(&str, Vec<u8>)]) -> ProblemFile {
    problem_of_bytes(&npz(members)).unwrap_or_else(|fault| panic!("{fault}"))
}

fn refuse(members: &[(&str, Vec<u8>)]) -> String {
    problem_of_bytes(&npz(members)).expect_err("it is refused").to_string()
}

/// The classes of targets made of labels.
fn classes(targets: &DMatrix<f64>) -> Vec<usize> {
    targets.row_iter().map(|row| row.transpose().imax()).collect()
}

fn labelled(labels: Vec<u8>) -> ProblemFile {
    read(&[features(), ("labels.npy", labels)])
}

#[test]
fn numbers_of_every_type_and_byte_order_are_read() {
    let expected = dmatrix![1.0, 0.0; 3.0, 2.0];
    let values = [1.0, 0.0, 3.0, 2.0];
    type Encode = fn(f64) -> Vec<u8>;
    let types: [(&str, Encode); 17] = [
        ("'<f2'", |v| half::f16::from_f64(v).to_le_bytes().to_vec()),
        ("'>f2'", |v| half::f16::from_f64(v).to_be_bytes().to_vec()),
        ("'<f4'", |v| (v as f32).to_le_bytes().to_vec()),
        ("'>f4'", |v| (v as f32).to_be_bytes().to_vec()),
        ("'<f8'", |v| v.to_le_bytes().to_vec()),
        ("'>f8'", |v| v.to_be_bytes().to_vec()),
        ("'|i1'", |v| vec![v as u8]),
        ("'|u1'", |v| vec![v as u8]),
        ("'<i2'", |v| (v as i16).to_le_bytes().to_vec()),
        ("'>i2'", |v| (v as i16).to_be_bytes().to_vec()),
        ("'<u2'", |v| (v as u16).to_le_bytes().to_vec()),
        ("'<i4'", |v| (v as i32).to_le_bytes().to_vec()),
        ("'>i4'", |v| (v as i32).to_be_bytes().to_vec()),
        ("'<u4'", |v| (v as u32).to_le_bytes().to_vec()),
        ("'<i8'", |v| (v as i64).to_le_bytes().to_vec()),
        ("'>i8'", |v| (v as i64).to_be_bytes().to_vec()),
        ("'<u8'", |v| (v as u64).to_le_bytes().to_vec()),
    ];
    for (descr, encode) in types {
        let bytes: Vec<u8> = values.iter().flat_map(|&v| encode(v)).collect();
        let array = npy(descr, &[2, 2], &bytes);
        let file = read(&[("features.npy", array.clone()), ("targets.npy", array)]);
        assert_eq!((file.problem.features(), file.problem.targets()), (&expected, &expected), "{descr}");
    }
    let bools = read(&[features(), ("targets.npy", npy("'|b1'", &[4, 1], &[1, 0, 0, 1]))]);
    assert_eq!(bools.problem.targets(), &dmatrix![1.0; 0.0; 0.0; 1.0]);
}

#[test]
fn every_version_order_and_packing_of_numpy_is_read() {
    let bytes: Vec<u8> = FEATURES.iter().flat_map(|v| v.to_le_bytes()).collect();
    let expected = DMatrix::from_row_slice(4, 2, &FEATURES);
    for version in 1..=3 {
        for (fortran, shape) in [(false, [4, 2]), (true, [2, 4])] {
            for (method, zip64) in [(Stored, false), (Stored, true), (Deflated, false), (Deflated, true)]
            {
                let array = npy_of(version, "'<f8'", fortran, &shape, &bytes);
                let labels = longs(&[0, 1, 0, 1][..shape[0]]);
                let members = [("features.npy", array), ("labels.npy", labels)];
                let file = problem_of_bytes(&archive(&members, method, zip64)).unwrap();
                let transposed = expected.transpose();
                let expected = if fortran { &transposed } else { &expected };
                assert_eq!(file.problem.features(), expected, "version {version}, {method}, {zip64}");
            }
        }
    }
}

#[test]
fn labels_of_every_type_are_classes() {
    let doubles = doubles(&[4], &[2.0, 0.0, 1.0, 2.0]);
    for labels in [longs(&[2, 0, 1, 2]), npy("'|u1'", &[4, 1], &[2, 0, 1, 2]), doubles] {
        let file = labelled(labels);
        assert_eq!(classes(file.problem.targets()), [2, 0, 1, 2]);
        assert_eq!((file.problem.outputs(), file.class_names), (3, None));
    }
    let bools = labelled(npy("'|b1'", &[4], &[1, 0, 0, 1]));
    assert_eq!(classes(bools.problem.targets()), [1, 0, 0, 1]);
    let names = Some(vec!["cat".to_owned(), "dog".to_owned(), "löwe".to_owned()]);
    let file = labelled(texts(&["dog", "cat", "löwe", "dog"]));
    assert_eq!((classes(file.problem.targets()), &file.class_names), (vec![1, 0, 2, 1], &names));
    let note = "classes, in sorted order: 0 = cat, 1 = dog, 2 = löwe";
    assert!(file.notes.iter().any(|n| n.to_string() == note), "{:?}", file.notes);
    let bytes = labelled(npy("'|S3'", &[4], b"dogcatb\0\0dog"));
    assert_eq!(bytes.class_names.unwrap(), ["b", "cat", "dog"]);
}

#[test]
fn labels_that_are_no_classes_are_told_with_their_place() {
    let text = |labels| refuse(&[features(), ("labels.npy", labels)]);
    let accepted = "accepted: whole numbers from 0 to 9999, or strings";
    assert_eq!(text(longs(&[0, 1, -1, 0])), format!("`labels` holds -1 at row 2; {accepted}"));
    assert_eq!(text(longs(&[10_000, 1, 1, 0])), format!("`labels` holds 10000 at row 0; {accepted}"));
    assert_eq!(
        text(doubles(&[4], &[0.0, 0.5, 0.0, 1.0])),
        format!("`labels` holds 0.5 at row 1; {accepted}")
    );
    assert!(text(doubles(&[4], &[0.0, f64::NAN, 0.0, 1.0])).contains("holds NaN at row 1"));
    assert!(text(longs(&[0, 1])).contains("`labels` holds 2 labels for 4 samples"));
    assert!(text(doubles(&[4, 2], &FEATURES)).contains("one-hot rows are `targets`"));
    assert_eq!(text(longs(&[])), "array `labels` is empty (shape [0])");
}

#[test]
fn types_that_hold_no_numbers_are_refused_with_a_way_out() {
    let text =
        |descr: &str, bytes: &[u8]| refuse(&[features(), ("labels.npy", npy(descr, &[4], bytes))]);
    assert!(text("'|O'", b"\x80\x04pickle").contains("save labels with .astype(str) or .astype(int)"));
    assert!(
        text("[('a', '<f8'), ('b', '<i4')]", &[0; 48]).contains("a structured array; save each field")
    );
    assert!(text("'<c8'", &[0; 32]).contains("complex numbers"));
    assert!(text("'<M8[D]'", &[0; 32]).contains("dates or times"));
    let strings = refuse(&[("features.npy", texts(&["a", "b"])), ("labels.npy", longs(&[0, 1]))]);
    assert!(
        strings.contains("array `features` is of type <U1 (strings; classes belong into `labels`"),
        "{strings}"
    );
}

#[test]
fn pooled_features_are_squeezed_and_others_refused() {
    let shaped = |shape: &[usize]| {
        [("features.npy", doubles(shape, &FEATURES)), ("labels.npy", longs(&[0, 1, 1, 0]))]
    };
    let file = read(&shaped(&[4, 2, 1, 1]));
    assert_eq!(file.problem.features(), &DMatrix::from_row_slice(4, 2, &FEATURES));
    let text = refuse(&shaped(&[2, 2, 2, 1]));
    assert!(
        text.contains("`features` has shape [2, 2, 2, 1]") && text.contains("average or flatten"),
        "{text}"
    );
}

#[test]
fn what_has_no_meaning_is_left_alone_with_a_note() {
    let file = read(&[
        features(),
        ("labels.npy", longs(&[0, 1, 1, 0])),
        ("ids.npy", npy("'|O'", &[4], b"a pickle")),
        ("probe_lables.npy", longs(&[0])),
        ("readme.txt", b"hello".to_vec()),
        ("__MACOSX/._features.npy", vec![0, 5, 22, 7]),
    ]);
    let ids = Note::Unused { arrays: vec!["ids".into()] };
    let like = Note::Like { array: "probe_lables".into(), name: "probe_labels" };
    let skipped = Note::Skipped { members: vec!["readme.txt".into(), "__MACOSX/._features.npy".into()] };
    for note in [ids, like, skipped, Note::NoKernel, Note::NoHead] {
        assert!(file.notes.contains(&note), "{note} not in {:?}", file.notes);
    }
    assert_eq!(file.notes.len(), 5);
    let packed = read(&[("p/features.npy", features().1), ("p/labels.npy", longs(&[0, 1, 1, 0]))]);
    assert_eq!(packed.problem.samples(), 4);
    let twice = [("p/features.npy", features().1), ("features.npy", features().1)];
    assert_eq!(refuse(&twice), "there are two arrays `features`");
}

#[test]
fn classes_without_a_sample_are_named() {
    let no_sample = |labels: &[i64]| {
        let file = labelled(longs(labels));
        file.notes.into_iter().find(|note| matches!(note, Note::NoSample { .. }))
    };
    let missing = |classes: &[usize], of| {
        let classes = classes.iter().map(usize::to_string).collect();
        Some(Note::NoSample { classes, of })
    };
    assert_eq!(no_sample(&[0, 3, 7, 3]), missing(&[1, 2, 4, 5, 6], 8));
    assert_eq!(no_sample(&[1, 2, 2, 1]), missing(&[0], 3));
    assert_eq!(no_sample(&[1, 0, 2, 1]), None);
    assert!(labelled(longs(&[0; 4])).notes.contains(&Note::OneClass));
}

#[test]
fn names_that_other_programs_use_are_understood_in_the_error() {
    let text = refuse(&[("X.npy", features().1), ("y.npy", longs(&[0, 1, 1, 0]))]);
    let start = "missing: `features`, `labels` or `targets`; found: `X`, `y` (rename `X` to `features`, `y` to `labels`?)";
    assert!(text.starts_with(start), "{text}");
}

/// Held-out features without a kernel: K(x) = z(x)ᵀ Zᵀ, as for the samples.
#[test]
fn held_out_features_need_no_kernel() {
    let probe = doubles(&[2, 2], &[1.0, 1.0, -1.0, 2.0]);
    let labels = ("labels.npy", longs(&[0, 1, 1, 0]));
    let of = |name: &'static str, array: Vec<u8>| {
        [features(), labels.clone(), ("probe_features.npy", probe.clone()), (name, array)]
    };
    let (z, held) = (DMatrix::from_row_slice(4, 2, &FEATURES), dmatrix![1.0, 1.0; -1.0, 2.0]);
    let bare = read(&of("ids.npy", longs(&[0])));
    let held_out = bare.problem.held_out().unwrap();
    assert_eq!(held_out.features(), &held);
    let kernel = bare.problem.held_out_kernel().unwrap();
    assert!((kernel - &held * z.transpose()).norm() < 1e-13);
    assert_eq!((bare.held_out_targets, bare.problem.outputs()), (None, 2));
    let file = read(&of("probe_labels.npy", longs(&[1, 0])));
    assert_eq!(file.held_out_targets, Some(dmatrix![0.0, 1.0; 1.0, 0.0]));
    let file = read(&of("probe_targets.npy", doubles(&[2, 2], &[0.5; 4])));
    assert_eq!(file.held_out_targets, Some(DMatrix::from_element(2, 2, 0.5)));
    // A class that only the held-out inputs have is a class of its own.
    let wide = read(&of("probe_labels.npy", longs(&[1, 3])));
    assert_eq!((wide.problem.outputs(), wide.held_out_targets.unwrap().shape()), (4, (2, 4)));
    assert!(wide.notes.contains(&Note::NoSample { classes: vec!["2".into(), "3".into()], of: 4 }));
    let refused = |name, array| refuse(&of(name, array));
    assert!(
        refused("probe_labels.npy", longs(&[1])).contains("`probe_labels` holds 1 labels for 2 samples")
    );
    assert!(
        refused("probe_labels.npy", texts(&["a", "b"]))
            .contains("`probe_labels` are strings and `labels` numbers")
    );
    assert!(
        refused("probe_targets.npy", doubles(&[2, 1], &[0.5; 2])).contains("`probe_targets` is 2x1")
    );
    assert!(refused("probe_kernel.npy", doubles(&[2, 4], &[0.5; 8])).starts_with("missing: `kernel`"));
}

#[test]
fn held_out_labels_follow_one_hot_targets() {
    let of = |targets: &[f64], labels: Vec<u8>| {
        let targets = doubles(&[4, 2], targets);
        let probe = ("probe_features.npy", doubles(&[1, 2], &[1.0, 1.0]));
        npz(&[features(), ("targets.npy", targets), probe, ("probe_labels.npy", labels)])
    };
    let one_hot = [1.0, 0.0, 0.0, 1.0, 0.0, 1.0, 1.0, 0.0];
    let file = problem_of_bytes(&of(&one_hot, longs(&[1]))).unwrap();
    assert_eq!(file.held_out_targets, Some(dmatrix![0.0, 1.0]));
    let needs = "`probe_labels` need `labels`, or one-hot `targets` of more than";
    for bytes in [of(&one_hot, longs(&[2])), of(&FEATURES, longs(&[1])), of(&one_hot, texts(&["a"]))] {
        let text = problem_of_bytes(&bytes).unwrap_err().to_string();
        assert!(text.starts_with(needs), "{text}");
    }
}

#[test]
fn targets_beside_labels_are_used_unless_they_contradict() {
    let one_hot = doubles(&[4, 2], &[1.0, 0.0, 0.0, 1.0, 0.0, 1.0, 1.0, 0.0]);
    let with =
        |labels: &[i64]| [features(), ("targets.npy", one_hot.clone()), ("labels.npy", longs(labels))];
    let file = read(&with(&[0, 1, 1, 0]));
    assert!(file.notes.contains(&Note::TargetsNotLabels { labels: "labels", targets: "targets" }));
    let text = refuse(&with(&[0, 1, 0, 0]));
    assert_eq!(text, "`labels` and `targets` contradict each other at row 2; remove one of them");
    let whole = read(&[features(), ("targets.npy", longs(&[0, 7, 3, 1]))]);
    assert!(whole.notes.contains(&Note::WholeTargets));
}

#[test]
fn a_head_says_how_many_classes_there_are() {
    let head = ("head.npy", doubles(&[2, 3], &[0.1; 6]));
    let file = read(&[features(), ("labels.npy", longs(&[0, 1, 1, 0])), head]);
    assert_eq!((file.problem.outputs(), file.head.unwrap().shape()), (3, (2, 3)));
}

#[test]
fn folders_of_arrays_are_read_and_one_array_with_its_neighbours() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).unwrap();
    assert!(
        read_problem(folder.path()).unwrap_err().to_string().contains("the folder holds no .npy array")
    );
    write("features.npy", &features().1);
    let text = read_problem(folder.path()).unwrap_err().to_string();
    assert!(text.contains("missing: `labels` or `targets`; found: `features`"), "{text}");
    write("labels.npy", &longs(&[0, 1, 1, 0]));
    write("ids.npy", &longs(&[7]));
    write("notes.txt", b"hello");
    write("._labels.npy", b"what macOS writes");
    let file = read_problem(folder.path()).unwrap();
    assert_eq!((classes(file.problem.targets()), file.files.len()), (vec![0, 1, 1, 0], 2));
    assert!(file.notes.contains(&Note::Unused { arrays: vec!["ids".into()] }));
    let pair = read_problem(folder.path().join("features.npy")).unwrap();
    assert_eq!(pair.problem.features(), file.problem.features());
    assert!(pair.notes.contains(&Note::Neighbours { arrays: vec!["labels".into()] }));
    let text = read_problem(folder.path().join("ids.npy")).unwrap_err().to_string();
    assert!(text.contains("this is a single array `ids`, whose name has no meaning here"), "{text}");
    write("labels.npy", b"damaged, damaged");
    let text = read_problem(folder.path()).unwrap_err().to_string();
    assert!(text.contains("labels.npy: the header of array `labels`"), "{text}");
}

/// A safetensors file of some arrays.
fn tensors(arrays: &[(&str, Dtype, &[usize], &[u8])]) -> Vec<u8> {
    let views = arrays.iter().map(|(name, dtype, shape, bytes)| {
        (*name, TensorView::new(*dtype, shape.to_vec(), bytes).unwrap())
    });
    safetensors::serialize(views, None).unwrap()
}

#[test]
fn safetensors_of_every_type_are_read() {
    let bf16: Vec<u8> = FEATURES.iter().flat_map(|&v| half::bf16::from_f64(v).to_le_bytes()).collect();
    let f16: Vec<u8> = FEATURES.iter().flat_map(|&v| half::f16::from_f64(v).to_le_bytes()).collect();
    for (dtype, bytes) in [(Dtype::BF16, bf16), (Dtype::F16, f16)] {
        let file = tensors(&[
            ("features", dtype, &[4, 2], &bytes),
            ("labels", Dtype::BOOL, &[4, 1], &[1, 0, 0, 1]),
            ("step", Dtype::F8_E4M3, &[], &[0]),
        ]);
        let file = problem_of_bytes(&file).unwrap();
        assert_eq!(file.problem.features(), &DMatrix::from_row_slice(4, 2, &FEATURES), "{dtype:?}");
        assert_eq!(classes(file.problem.targets()), [1, 0, 0, 1]);
    }
}

#[test]
fn shards_are_joined_by_their_index() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).unwrap();
    let bytes: Vec<u8> = FEATURES.iter().flat_map(|v| v.to_le_bytes()).collect();
    write("model-00001-of-00002.safetensors", &tensors(&[("features", Dtype::F64, &[4, 2], &bytes)]));
    write("model-00002-of-00002.safetensors", &tensors(&[("labels", Dtype::U8, &[4], &[0, 1, 1, 0])]));
    let index = folder.path().join("model.safetensors.index.json");
    let write_index = |map: &str| {
        std::fs::write(&index, format!(r#"{{"metadata": {{}}, "weight_map": {map}}}"#)).unwrap()
    };
    write_index(
        r#"{"features": "model-00001-of-00002.safetensors", "labels": "model-00002-of-00002.safetensors",
            "other": "model-00009-of-00002.safetensors"}"#,
    );
    for path in [&index, folder.path()] {
        let file = read_problem(path).unwrap();
        assert_eq!(file.problem.features(), &DMatrix::from_row_slice(4, 2, &FEATURES));
        assert_eq!((classes(file.problem.targets()), file.files.len()), (vec![0, 1, 1, 0], 3));
        assert!(file.notes.contains(&Note::Unused { arrays: vec!["other".into()] }));
    }
    let text = |map: &str| {
        write_index(map);
        read_problem(&index).unwrap_err().fault.to_string()
    };
    let labels = r#""labels": "model-00002-of-00002.safetensors""#;
    let none = text(&format!(r#"{{"features": "model-00003.safetensors", {labels}}}"#));
    assert!(none.starts_with("model-00003.safetensors: cannot open"), "{none}");
    let outside = text(&format!(r#"{{"features": "../x.safetensors", {labels}}}"#));
    assert!(outside.contains("`../x.safetensors` is no name of a file beside it"), "{outside}");
    let wrong = text(&format!(r#"{{"features": "model-00002-of-00002.safetensors", {labels}}}"#));
    assert!(wrong.contains("`features` is not in model-00002-of-00002.safetensors"), "{wrong}");
    assert!(text("7").contains("this is no index of safetensors files"));
}

#[test]
fn a_file_of_torch_says_how_to_save_instead() {
    let torch = npz(&[("archive/data.pkl", vec![0x80, 2]), ("archive/data/0", vec![0; 16])]);
    let text = problem_of_bytes(&torch).unwrap_err().to_string();
    assert!(text.starts_with("the archive holds no .npy array; found: `archive/data.pkl`"), "{text}");
    assert!(text.contains("safetensors.torch.save_file"), "{text}");
}

/// The targets of so many samples and classes would fill the memory of any machine.
#[test]
fn what_does_not_fit_into_memory_is_refused_before_it_is_made() {
    let n = 20_000_000;
    let members = [
        ("features.npy", npy("'|b1'", &[n, 1], &vec![1; n])),
        ("labels.npy", npy("'<u2'", &[n], &[0x0f, 0x27].repeat(n))),
    ];
    let text = refuse(&members);
    assert!(
        text.starts_with(
            "a problem of 20000000 samples and 10000 classes needs 8.7 TiB of memory, and "
        ),
        "{text}"
    );
}

#[test]
fn values_that_are_not_finite_are_told_with_their_place() {
    let mut values = FEATURES;
    values[3] = f64::INFINITY;
    let text =
        refuse(&[("features.npy", doubles(&[4, 2], &values)), ("labels.npy", longs(&[0, 1, 1, 0]))]);
    assert_eq!(text, "`features` holds inf at row 1, column 1; all values must be finite");
    let probe = ("probe_features.npy", doubles(&[1, 2], &[0.0, f64::NAN]));
    let text = refuse(&[features(), ("labels.npy", longs(&[0, 1, 1, 0])), probe]);
    assert_eq!(text, "`probe_features` holds NaN at row 0, column 1; all values must be finite");
}

/// `model.fc.weight.numpy()` as it is.
#[test]
fn a_head_that_is_stored_the_other_way_round_is_told() {
    let features = doubles(&[3, 2], &[1.0, 0.0, 0.0, 1.0, 1.0, 1.0]);
    let of = |shape: &[usize], values: &[f64]| {
        vec![
            ("features.npy", features.clone()),
            ("labels.npy", longs(&[0, 1, 2])),
            ("head.npy", doubles(shape, values)),
        ]
    };
    let text = refuse(&of(&[3, 2], &[0.1; 6]));
    assert!(
        text.starts_with("`head` is 3x2, but a head has one row for each of the 2 features"),
        "{text}"
    );
    assert!(text.ends_with("save its transpose (.T)"), "{text}");
    assert_eq!(read(&of(&[2, 3], &[0.1; 6])).head.unwrap().shape(), (2, 3));
    // A square one may be either; another shape is a mistake of another kind.
    let text = refuse(&of(&[2, 2], &[0.1; 4]));
    assert!(text.starts_with("`head` is 2x2, but one row for each feature"), "{text}");
}
