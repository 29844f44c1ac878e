//! State dicts of PyTorch: from its names and files and back, to the same bits, with its outputs; and what is refused.

use std::fs;
use std::path::{Path, PathBuf};

use burn::module::Module;
use burn::tensor::{DType, Device, Tensor, TensorData};
use rekindle_cells::{
    Activation, CellConfig, Connections, Direction, Elman, ElmanConfig, Gru, GruConfig,
    InitialState, Lstm, LstmConfig, LstmGates, LstmState, Merge, Peepholes, Recurrent, Reset,
    Sequences, Stack, StackConfig, StackState, State, Update,
};
use rekindle_interop::pytorch::{
    Inferred, LoadError, PytorchCell, ReadError, StateDict, build_stack, infer, load_cell,
    load_stack,
};
use rekindle_testkit::{Case, Tolerance, Vectors, assert_close_within, assert_same_bits, devices};

/// A file of PyTorch's, beside its generator.
fn file(name: &str) -> PathBuf {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/reference/pytorch");
    Path::new(folder).join(name)
}

fn read(name: &str) -> StateDict {
    StateDict::read(file(name)).unwrap_or_else(|error| panic!("{error}"))
}

/// A tensor of a state dict, in its own type.
fn tensor<const D: usize>(dict: &StateDict, name: &str, device: &Device) -> Tensor<D> {
    let data = dict.tensor(name).unwrap_or_else(|| panic!("no {name}"));
    let dtype = data.dtype();
    Tensor::from_data(data, (device, dtype))
}

/// Asserts that a stack computes what PyTorch's module of the same weights does.
fn assert_outputs<C: PytorchCell>(stack: &Stack<C>, name: &str, device: &Device) {
    let expected = read("expected.safetensors");
    let get = |what: &str| tensor::<3>(&expected, &format!("{name}.{what}"), device);
    let (output, state) = stack.forward(get("input"), None);
    let tolerance = Tolerance::of(output.dtype());
    assert_close_within(
        &output,
        &get("output"),
        tolerance,
        &format!("{name}: output"),
    );
    let hidden = state.layers.iter().flatten().map(State::hidden).collect();
    let hidden = Tensor::stack::<3>(hidden, 0);
    assert_close_within(&hidden, &get("h_n"), tolerance, &format!("{name}: h_n"));
}

/// The weights of a case, by PyTorch's names behind a prefix.
fn of_case(case: &Case, prefix: &str, dtype: DType) -> StateDict {
    let mut dict = StateDict::new();
    let weights = case
        .tensors
        .iter()
        .filter(|(name, _)| name.starts_with("weight_") || name.starts_with("bias_"));
    for (name, tensor) in weights {
        let data = TensorData::new(tensor.values.clone(), tensor.shape.clone());
        dict.insert(format!("{prefix}{name}"), &data.convert_dtype(dtype));
    }
    dict
}

/// A state from PyTorch's tensors.
trait TorchState: State {
    fn from_torch(h: Tensor<2>, c: Option<Tensor<2>>) -> Self;
}

impl TorchState for Tensor<2> {
    fn from_torch(h: Tensor<2>, _c: Option<Tensor<2>>) -> Self {
        h
    }
}

impl TorchState for LstmState {
    fn from_torch(h: Tensor<2>, c: Option<Tensor<2>>) -> Self {
        LstmState::new(c.expect("an LSTM has a cell state"), h)
    }
}

/// PyTorch → ours → PyTorch to the same bits, and PyTorch's outputs in between.
fn assert_round_trip<C: PytorchCell>(
    case: &Case,
    options: (&Device, DType),
    adjust: impl Fn(C::Config) -> C::Config,
) where
    C::State: TorchState,
{
    let prefix = "model.encoder.";
    let dict = of_case(case, prefix, options.1);
    let Inferred { stack, cell } =
        infer::<C>(&dict, prefix).unwrap_or_else(|error| panic!("{}: {error}", case.name));
    assert_eq!(stack.layers, case.layers, "{}", case.name);
    let expected = match case.bidirectional {
        true => Direction::Bidirectional,
        false => Direction::Forward,
    };
    assert_eq!(stack.direction, expected, "{}", case.name);
    assert_eq!(cell.d_input(), case.d_input, "{}", case.name);
    let d_output = case.d_projected.unwrap_or(case.d_hidden);
    assert_eq!(cell.d_output(), d_output, "{}", case.name);

    let stack = stack.init(&adjust(cell), options.0);
    let (stack, report) =
        load_stack(stack, &dict, prefix).unwrap_or_else(|error| panic!("{}: {error}", case.name));
    assert_eq!(report.matched.len(), dict.names().count(), "{}", case.name);
    assert!(report.unused.is_empty() && report.outside == 0, "{report}");

    let again = match case.kind.as_str() {
        "step" => {
            let cell = stack.layers[0].forward.as_ref().expect("a forward cell");
            assert_step(case, cell, options);
            let (loaded, _) = load_cell(cell.clone(), &dict, prefix).expect("the same names");
            StateDict::of_cell(&loaded, prefix)
        }
        _ => {
            assert_sequence(case, &stack, options);
            StateDict::of_stack(&stack, prefix)
        }
    };
    assert!(
        again.expect("PyTorch has it") == dict,
        "{}: bits differ",
        case.name
    );
}

fn tolerance(dtype: DType) -> Tolerance {
    match dtype {
        DType::F32 => Tolerance(1e-5),
        _ => Tolerance::F64,
    }
}

fn assert_sequence<C: PytorchCell>(case: &Case, stack: &Stack<C>, options: (&Device, DType))
where
    C::State: TorchState,
{
    let input = case.tensor::<3>("input", options);
    let h_0 = case.tensor::<3>("h_0", options);
    let c_0 = case.get::<3>("c_0", options);
    let part = |tensor: &Tensor<3>, i: usize| tensor.clone().narrow(0, i, 1).squeeze_dim::<2>(0);
    let states: Vec<C::State> = (0..h_0.dims()[0])
        .map(|i| TorchState::from_torch(part(&h_0, i), c_0.as_ref().map(|c| part(c, i))))
        .collect();
    let layers = states.chunks(stack.direction().cells()).map(<[_]>::to_vec);
    let state = StackState {
        layers: layers.collect(),
    };
    let sequences = match &case.lengths {
        Some(lengths) => Sequences::padded(input, lengths.clone()),
        None => input.into(),
    };
    let (output, _) = stack.forward(sequences, Some(state));
    let what = format!("{}: output", case.name);
    assert_close_within(
        &output,
        &case.tensor("output", options),
        tolerance(options.1),
        &what,
    );
}

fn assert_step<C: PytorchCell>(case: &Case, cell: &C, options: (&Device, DType))
where
    C::State: TorchState,
{
    let state = TorchState::from_torch(case.tensor("h_0", options), case.get("c_0", options));
    let hidden = cell.step(case.tensor("input", options), state).hidden();
    let what = format!("{}: h_n", case.name);
    assert_close_within(
        &hidden,
        &case.tensor("h_n", options),
        tolerance(options.1),
        &what,
    );
}

#[test]
fn every_pytorch_case_makes_the_round_trip() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../rekindle-cells/tests/reference/pytorch.json"
    );
    let vectors = Vectors::read(Path::new(path));
    assert!(vectors.cases.len() >= 78, "{}", vectors.cases.len());
    let relu = |config: ElmanConfig| config.with_activation(Activation::Relu);
    for device in devices!() {
        for dtype in [DType::F32, DType::F64] {
            let options = (&device, dtype);
            for case in &vectors.cases {
                match case.cell.as_str() {
                    "lstm" => assert_round_trip::<Lstm>(case, options, |config| config),
                    "gru" => assert_round_trip::<Gru>(case, options, |config| config),
                    "rnn_tanh" => assert_round_trip::<Elman>(case, options, |config| config),
                    "rnn_relu" => assert_round_trip::<Elman>(case, options, relu),
                    cell => panic!("{}: unknown cell {cell}", case.name),
                }
            }
        }
    }
}

#[test]
fn a_module_in_safetensors() {
    let dict = read("tagger.safetensors");
    assert_eq!(dict.shape("norm.num_batches_tracked"), Some(&[][..]));
    assert_eq!(dict.tensor("norm.num_batches_tracked"), None, "an integer");
    for device in devices!() {
        let (stack, report) = build_stack::<Lstm>(&dict, "encoder.rnn.", &device).expect("an LSTM");
        assert_eq!(report.matched.len(), 4 * 5);
        assert_eq!((report.unused.len(), report.outside), (0, 7));
        assert_outputs(&stack, "tagger", &device);

        let again = StateDict::of_stack(&stack, "encoder.rnn.").expect("PyTorch has it");
        for name in again.names() {
            assert_eq!(again.tensor(name), dict.tensor(name), "{name}");
        }
    }
}

#[test]
fn a_checkpoint_of_torch_save() {
    let dict = read("checkpoint.pt");
    for device in devices!() {
        let (stack, report) = build_stack::<Gru>(&dict, "model.0.", &device).expect("a GRU");
        assert_eq!((report.matched.len(), report.outside), (8, 0));
        assert_eq!(stack.layers.len(), 2);
        assert_outputs(&stack, "checkpoint", &device);
    }
}

#[test]
fn older_files_and_whole_modules() {
    let legacy = read("legacy.pth");
    let whole = read("whole.pt");
    for device in devices!() {
        let Inferred { stack, cell } = infer::<Elman>(&legacy, "").expect("an RNN");
        assert!(!cell.bias);
        let stack = stack.init(&cell.with_activation(Activation::Relu), &device);
        let (stack, _) = load_stack(stack, &legacy, "").expect("an RNN");
        assert_outputs(&stack, "legacy", &device);

        let (stack, _) = build_stack::<Gru>(&whole, "0.", &device).expect("a GRU");
        assert_outputs(&stack, "whole", &device);
    }
}

#[test]
fn sixteen_bits_are_widened() {
    let device = Device::default();
    let (stack, _) = build_stack::<Gru>(&read("half.safetensors"), "", &device).expect("a GRU");
    assert_outputs(&stack, "half", &device);

    let brain = read("brain.pt");
    let cell = LstmConfig::new(3, 4).init(&device);
    let (cell, report) = load_cell(cell, &brain, "").expect("an LSTMCell");
    assert_eq!(report.matched.len(), 4);
    let expected = read("expected.safetensors");
    let get = |what: &str| tensor::<2>(&expected, &format!("brain.{what}"), &device);
    let zero = LstmState::new(get("c_n").zeros_like(), get("h_n").zeros_like());
    let state = rekindle_cells::Cell::step(&cell, get("input"), zero);
    assert_close_within(&state.hidden, &get("h_n"), Tolerance::F32, "brain: h_n");
    assert_close_within(&state.cell, &get("c_n"), Tolerance::F32, "brain: c_n");
}

#[test]
fn a_written_file_is_the_one_of_pytorch_byte_by_byte() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("again.safetensors");
    for name in [
        "tagger.safetensors",
        "half.safetensors",
        "expected.safetensors",
    ] {
        read(name).write(&path).expect("it is written");
        assert!(
            fs::read(&path).expect("a file") == fs::read(file(name)).expect("a file"),
            "{name}"
        );
    }
    let names = fs::read_dir(folder.path()).expect("a folder").count();
    assert_eq!(names, 1, "nothing else is left behind");
}

#[test]
fn a_cell_is_also_the_first_layer_and_the_other_way_round() {
    let device = Device::default();
    let cell = GruConfig::new(3, 4).init(&device);
    let of_cell = StateDict::of_cell(&cell, "a.").expect("PyTorch has it");
    assert_eq!(
        of_cell.names().collect::<Vec<_>>(),
        ["a.bias_hh", "a.bias_ih", "a.weight_hh", "a.weight_ih"]
    );
    let (stack, _) = build_stack::<Gru>(&of_cell, "a.", &device).expect("one layer");
    let of_stack = StateDict::of_stack(&stack, "a.").expect("PyTorch has it");
    assert_eq!(
        of_stack.tensor("a.weight_ih_l0"),
        of_cell.tensor("a.weight_ih")
    );

    let (again, _) =
        load_cell(GruConfig::new(3, 4).init(&device), &of_stack, "a.").expect("a cell");
    let weights = [&again, &cell].map(|cell| cell.weights.weight_hh.val());
    assert_same_bits(&weights[0], &weights[1], "weight_hh");
}

#[test]
fn ids_and_training_stay() {
    let device = Device::default().autodiff();
    let dict = read("checkpoint.pt").cast(DType::F32);
    let stack = StackConfig::new()
        .with_layers(2)
        .init(&GruConfig::new(3, 4), &device);
    let cell = |stack: &Stack<Gru>| stack.layers[1].forward.clone().expect("a forward cell");
    let id = cell(&stack).weights.weight_ih.id;
    let (loaded, _) = load_stack(stack, &dict, "model.0.").expect("a GRU");
    let weight = cell(&loaded).weights.weight_ih;
    assert_eq!(weight.id, id);
    assert_eq!(weight.val().dtype(), DType::F32);
    let loss = loaded
        .forward(Tensor::<3>::ones([1, 2, 3], &device), None)
        .0
        .sum();
    assert!(weight.val().grad(&loss.backward()).is_some());
    assert_eq!(loaded.num_params(), 2 * 3 * 4 * 10 - 3 * 4);
}

/// What loading a stack of this shape from `tagger.safetensors` says.
fn error(cell: &LstmConfig, stack: StackConfig, dict: &StateDict, prefix: &str) -> String {
    let stack = stack.init(cell, &Device::default());
    load_stack(stack, dict, prefix).unwrap_err().to_string()
}

#[test]
fn what_does_not_fit_is_named() {
    let dict = read("tagger.safetensors");
    let two = || {
        StackConfig::new()
            .with_layers(2)
            .with_direction(Direction::Bidirectional)
    };
    let lstm = |d_hidden| LstmConfig::new(3, d_hidden).with_d_projected(Some(2));
    assert_eq!(
        error(&lstm(5), two(), &dict, "encoder.rnn."),
        "encoder.rnn.weight_ih_l0 has shape [16, 3], expected [20, 3]; make the network with the widths of the state dict, \
         which `infer` reads from it"
    );
    assert_eq!(
        error(&lstm(4), two().with_layers(3), &dict, "encoder.rnn."),
        "encoder.rnn.weight_ih_l2 is missing from the state dict, expected shape [16, 4] (10 missing, 20 matched); make \
         the network with the layers, directions and biases of the state dict, which `infer` reads from it"
    );
    assert_eq!(
        error(&lstm(4), two(), &dict, "decoder."),
        "decoder.weight_ih_l0 is missing from the state dict, expected shape [16, 3] (20 missing, 0 matched); recurrent \
         modules stand under the prefixes [\"encoder.rnn.\"]: give one of them"
    );
    assert!(
        error(&lstm(4), two(), &StateDict::new(), "").ends_with("; it holds no recurrent module")
    );
}

#[test]
fn missing_tensors_are_all_in_the_report() {
    let dict = read("tagger.safetensors");
    let stack = StackConfig::new()
        .with_layers(2)
        .init(&LstmConfig::new(3, 4), &Device::default());
    let mut without_projection = StateDict::new();
    for name in ["weight_ih_l0", "bias_ih_l0", "bias_hh_l0", "bias_hh_l3"] {
        let data = dict.tensor(&format!("encoder.rnn.{}", name.replace("l3", "l1")));
        without_projection.insert(name, &data.expect("it is there"));
    }
    let Err(LoadError::Missing { report, .. }) = load_stack(stack, &without_projection, "") else {
        panic!("tensors are missing");
    };
    assert_eq!(
        report.to_string(),
        "\
weight_ih_l0  [16, 3]  matched
bias_ih_l0    [16]     matched
bias_hh_l0    [16]     matched
weight_hh_l0  [16, 4]  missing
weight_ih_l1  [16, 4]  missing
weight_hh_l1  [16, 4]  missing
bias_ih_l1    [16]     missing
bias_hh_l1    [16]     missing
bias_hh_l3    [16]     unused
3 matched, 5 missing, 1 unused"
    );
}

#[test]
fn other_types_are_refused() {
    let device = Device::default();
    let gru = || {
        StackConfig::new()
            .with_layers(2)
            .init(&GruConfig::new(3, 4), &device)
    };
    let mut mixed = read("checkpoint.pt");
    let bias = mixed.tensor("model.0.bias_ih_l1").expect("it is there");
    mixed.insert("model.0.bias_ih_l1", &bias.convert_dtype(DType::F32));
    assert_eq!(
        load_stack(gru(), &mixed, "model.0.")
            .unwrap_err()
            .to_string(),
        "model.0.bias_ih_l1 holds F32 and model.0.weight_ih_l0 holds F64, expected one type for all tensors of a \
         network; convert with `StateDict::cast`"
    );
    load_stack(gru(), &mixed.cast(DType::F32), "model.0.").expect("one type");

    // The same file, but it says that its numbers are integers.
    let bytes = fs::read(file("half.safetensors")).expect("a file");
    let header = u64::from_le_bytes(bytes[..8].try_into().expect("8 bytes")) as usize;
    let json = std::str::from_utf8(&bytes[8..8 + header]).expect("text");
    let integers = json.replace("\"F16\"", "\"I16\"");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("integers.safetensors");
    fs::write(
        &path,
        [&bytes[..8], integers.as_bytes(), &bytes[8 + header..]].concat(),
    )
    .expect("written");
    let integers = StateDict::read(&path).expect("a state dict of integers");
    assert_eq!(
        build_stack::<Gru>(&integers, "", &device)
            .unwrap_err()
            .to_string(),
        "weight_ih_l0 holds I16, expected F64, F32, F16 or BF16; save the module with float parameters"
    );
}

#[test]
fn what_tells_no_network_is_named() {
    let dict = read("tagger.safetensors");
    let error = |error: LoadError| error.to_string();
    let device = Device::default();
    assert_eq!(
        error(build_stack::<Lstm>(&dict, "rnn.", &device).unwrap_err()),
        "no recurrent module under prefix \"rnn.\": expected rnn.weight_ih_l0 or rnn.weight_ih; the state dict has \
         recurrent modules under the prefixes [\"encoder.rnn.\"]"
    );
    assert_eq!(
        error(build_stack::<Gru>(&dict, "encoder.rnn.", &device).unwrap_err()),
        "encoder.rnn.weight_ih_l0 has 16 rows for a hidden state of 4, expected 12, one block a gate of nn.GRU; nn.RNN \
         has 1 gate, nn.GRU 3, nn.LSTM 4"
    );
    let mut dict = StateDict::new();
    dict.insert("weight_ih_l0", &TensorData::new(vec![1.0_f32; 6], [2, 3]));
    assert_eq!(
        error(build_stack::<Elman>(&dict, "", &device).unwrap_err()),
        "weight_hh_l0 is missing from the state dict, expected a matrix [out, in]; is the file complete?"
    );
    dict.insert("weight_hh_l0", &TensorData::new(vec![1.0_f32; 6], [6]));
    assert_eq!(
        error(build_stack::<Elman>(&dict, "", &device).unwrap_err()),
        "weight_hh_l0 has shape [6], expected a matrix [out, in] of at least one row and column"
    );
    dict.insert("weight_hh_l0", &TensorData::new(vec![1.0_f32; 4], [2, 2]));
    dict.insert("weight_hr_l0", &TensorData::new(vec![1.0_f32; 4], [2, 2]));
    assert_eq!(
        error(build_stack::<Elman>(&dict, "", &device).unwrap_err()),
        "weight_hr_l0 is a projection, which nn.RNN does not have; expected an nn.LSTM"
    );
    for (name, shape) in [("ih", [8, 3]), ("hh", [8, 2]), ("hr", [2, 2])] {
        let data = TensorData::new(vec![1.0_f32; shape.iter().product()], shape);
        dict.insert(format!("weight_{name}_l0"), &data);
    }
    assert_eq!(
        error(build_stack::<Lstm>(&dict, "", &device).unwrap_err()),
        "the shapes under prefix \"\" belong to no network: d_projected is 2, expected a width of at least 1 and below \
         d_hidden"
    );
}

#[test]
fn files_that_are_cut_off_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    for name in [
        "tagger.safetensors",
        "checkpoint.pt",
        "legacy.pth",
        "brain.pt",
    ] {
        let bytes = fs::read(file(name)).expect("a file");
        for length in (0..bytes.len()).step_by(97).chain([bytes.len() - 1]) {
            let path = folder.path().join(name);
            fs::write(&path, &bytes[..length]).expect("written");
            let message = match StateDict::read(&path) {
                Err(error) => error.to_string(),
                Ok(_) => panic!("{name}: {length} of {} bytes are read", bytes.len()),
            };
            assert!(
                message.contains(name) && message.contains("complete"),
                "{message}"
            );
        }
    }
}

#[test]
fn files_of_other_kinds_are_refused() {
    let path = file("generate.py");
    let error = StateDict::read(&path).unwrap_err();
    assert!(matches!(error, ReadError::Pytorch { .. }), "{error}");
    assert!(
        error
            .to_string()
            .contains("expected a complete file of safetensors or of torch.save")
    );
    let error = StateDict::read(file("absent.pt")).unwrap_err();
    assert!(matches!(error, ReadError::File { .. }), "{error}");
    let nowhere = file("absent/there.safetensors");
    let error = read("half.safetensors").write(&nowhere).unwrap_err();
    assert!(error.to_string().starts_with("cannot write "), "{error}");
}

#[test]
fn networks_that_pytorch_does_not_have_are_refused() {
    let device = Device::default();
    let lstm = || LstmConfig::new(3, 4);
    let gru = || GruConfig::new(3, 4);
    let elman = || ElmanConfig::new(3, 4);
    /// What saving a cell says.
    fn of<F: CellConfig>(config: F, device: &Device) -> String
    where
        F::Cell: PytorchCell,
    {
        let cell = config.init(device);
        let message = StateDict::of_cell(&cell, "").unwrap_err().to_string();
        let load = load_cell(cell, &StateDict::new(), "")
            .unwrap_err()
            .to_string();
        assert_eq!(message, load);
        message
    }
    for (message, option) in [
        (
            of(gru().with_reset(Reset::Before), &device),
            "nn.GRU has no reset before",
        ),
        (
            of(gru().with_update(Update::Replace), &device),
            "nn.GRU has no update gate that",
        ),
        (
            of(gru().with_clip(Some(1.0)), &device),
            "nn.GRU has no clip",
        ),
        (
            of(lstm().with_gates(LstmGates::Coupled), &device),
            "nn.LSTM has no coupled",
        ),
        (
            of(lstm().with_peepholes(Peepholes::Full), &device),
            "nn.LSTM has no peepholes",
        ),
        (
            of(lstm().with_peepholes(Peepholes::Diagonal), &device),
            "nn.LSTM has no peepholes",
        ),
        (
            of(lstm().with_gate_recurrence(true), &device),
            "nn.LSTM has no gate recurrence",
        ),
        (
            of(lstm().with_cell_clip(Some(1.0)), &device),
            "nn.LSTM has no clip",
        ),
        (
            of(elman().with_activation(Activation::Softsign), &device),
            "nn.RNN has no activation but",
        ),
        (
            of(elman().with_initial_state(InitialState::Learned), &device),
            "nn.RNN has no learned initial state",
        ),
    ] {
        assert!(
            message.starts_with(&format!("PyTorch's {option}")),
            "{message}"
        );
    }

    let both = || StackConfig::new().with_direction(Direction::Bidirectional);
    let stack = |config: StackConfig| {
        let stack = config.init(&gru(), &device);
        StateDict::of_stack(&stack, "").unwrap_err().option
    };
    assert_eq!(
        stack(both().with_merge(Merge::Sum)),
        "merge of directions but side by side"
    );
    let reverse = StackConfig::new().with_direction(Direction::Reverse);
    assert_eq!(stack(reverse), "reverse direction alone");
    let residual = StackConfig::new()
        .with_layers(2)
        .with_connections(Connections::Residual);
    assert_eq!(stack(residual), "residual or dense connections");
}
