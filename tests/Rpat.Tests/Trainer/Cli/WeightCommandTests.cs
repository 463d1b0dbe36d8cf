using Rpat.Models;
using Rpat.Tests.IO.PyTorch;
using Rpat.Tests.Models;
using Rpat.Tests.Support;
using Rpat.Trainer.View;

namespace Rpat.Tests.Trainer.Cli;

/// <summary><c>rpat models</c>, <c>import</c>, <c>export</c> and <c>eval</c>, as users run them.</summary>
public sealed class WeightCommandTests : IDisposable
{
    private static readonly ModelSpec _spec = new("preactresnet18", new Shape(1, 3, 12, 12), 7) { Width = 3, Blocks = 1 };

    private readonly TestHost _host = new();
    private readonly Device _device = Device.Cpu(1, ConvolutionAlgorithm.Direct); // as saved logits are computed

    public void Dispose()
    {
        _host.Dispose();
        _device.Dispose();
    }

    [Fact]
    public void Every_model_is_listed()
    {
        Assert.Equal(ExitCode.Done, _host.Run("models"));
        Assert.All(ModelCatalog.All, family => Assert.Contains(family.Name, _host.Out));
    }

    [Fact]
    public void A_model_is_shown_layer_by_layer()
    {
        Assert.Equal(ExitCode.Done, _host.Run("models", "show", "mobilenetv2", "--input", "1x28x28", "--classes", "5"));
        Assert.Contains("layers.3.conv2", _host.Out);
        Assert.Contains("DepthwiseConv2d", _host.Out);
        string total = _host.Out.Split('\n').Single(line => line.StartsWith("total", StringComparison.Ordinal));
        using var device = Device.Cpu(1);
        long parameters = ModelCatalog.Build(device, new ModelSpec("mobilenetv2", new Shape(1, 1, 28, 28), 5), 0).Parameters.Count;
        Assert.Contains(parameters.ToString("#,0", System.Globalization.CultureInfo.InvariantCulture), total);
    }

    [Fact]
    public void PreActResNet_18_takes_555_million_multiply_adds()
    {
        Assert.Equal(ExitCode.Done, _host.Run("models", "show", "preactresnet18"));
        Assert.Matches(@"\ntotal +11,172,170 +555,\d{3},\d{3}\n", _host.Out);
    }

    [Theory]
    [InlineData("xcit-s12")]
    [InlineData("vit-s16")]
    public void A_transformer_is_shown_and_its_export_to_ONNX_refused_in_one_sentence(string model)
    {
        var spec = new ModelSpec(model, new Shape(1, 3, 32, 32), 10) { Width = 24, Blocks = 1, Heads = 3 };
        FeatureClassifier net = ModelCatalog.Build(_device, spec, seed: 1);
        using var table = new StringWriter();
        LayerTable.Write(net, table);
        Assert.Contains("cls_token", table.ToString());
        Safetensors.Write(_host.PathOf("net.safetensors"), net.State(), ModelMetadata.Write(spec));
        Assert.Equal(ExitCode.Usage, _host.Run("export", _host.PathOf("net.safetensors"), "-o", _host.PathOf("net.onnx")));
        Assert.Matches($"^rpat: {model} cannot be written as .onnx \\(.*\\): choose .*\\.$", _host.Error.TrimEnd().Split('\n')[^1]);
    }

    [Theory]
    [InlineData("models", "show", "preactresnet81")]
    [InlineData("models", "show", "preactresnet18", "--input", "32x32")]
    [InlineData("import", "x.pt")]
    [InlineData("export", "x.pt", "-o", "x.bin")]
    public void Wrong_lines_end_with_one_sentence(params string[] arguments)
    {
        Assert.Equal(ExitCode.Usage, _host.Run(arguments));
        Assert.Single(_host.Error.TrimEnd().Split('\n'));
    }

    [Fact]
    public void A_checkpoint_is_listed_like_an_archive()
    {
        Assert.Equal(ExitCode.Done, _host.Run("import", Checkpoints.PathOf("training.pt"), "--list"));
        Assert.Contains("[3, 2, 3, 3]", _host.Out);
        Assert.Contains("state_dict.module.model.conv1.weight", _host.Out);
        Assert.Contains("best_acc", _host.Out);
        Assert.Contains("PyTorch zip checkpoint", _host.Error);
    }

    [Theory]
    [InlineData("net.pth")]
    [InlineData("net.npz")]
    [InlineData("net.safetensors")]
    public void A_network_comes_in_with_its_sizes_and_goes_out_bit_by_bit(string file)
    {
        FeatureClassifier net = Saved(file);
        Assert.Equal(ExitCode.Done, _host.Run("import", _host.PathOf(file), "--model", "preactresnet18", "-o",
            _host.PathOf("in.safetensors")));
        Assert.Contains("7 classes", _host.Out);
        Assert.Equal(ExitCode.Done, _host.Run("export", _host.PathOf("in.safetensors"), "-o", _host.PathOf("out.pt")));
        using WeightFile found = WeightFile.Open(_host.PathOf("out.pt"));
        Assert.Equal(net.State().Select(a => a.Name), found.Tensors.Select(t => t.Name));
        Assert.All(net.State(), a => Assert.True(a.Data.Span.SequenceEqual(found.Load(a.Name).Data.Span), a.Name));
        Assert.Equal(ExitCode.Done, _host.Run("export", _host.PathOf("in.safetensors"), "-o", _host.PathOf("out.onnx")));
        Assert.True(new FileInfo(_host.PathOf("out.onnx")).Length > 4 * net.Parameters.Count);
    }

    /// <summary>Files of arrays alone do not say it, and without it the network sees other images.</summary>
    [Theory]
    [InlineData("out.pt", true)]
    [InlineData("out.npz", true)]
    [InlineData("out.safetensors", false)]
    [InlineData("out.onnx", false)]
    public void How_images_are_normalised_is_said_where_the_file_does_not(string file, bool said)
    {
        _ = Saved("net.pth");
        Assert.Equal(ExitCode.Done, _host.Run("export", _host.PathOf("net.pth"), "--model", "preactresnet18", "--mean", "0.5", "--std", "0.25",
            "-o", _host.PathOf(file)));
        string card = File.ReadAllText(_host.PathOf(file) + ".card.md");
        Assert.Equal(said, _host.Error.Contains("files do not say how images are normalised: read it with --mean ", StringComparison.Ordinal));
        Assert.Equal(said, card.Contains("--mean 0.5", StringComparison.Ordinal));
        Assert.Contains("the first layer of the network: mean 0.5", card, StringComparison.Ordinal);
        if (file == "out.onnx") return; // a network that standardises is none of ONNX's
        Assert.Equal(ExitCode.Done, _host.Run("export", _host.PathOf("net.pth"), "--model", "preactresnet18", "--standardize", "-o",
            _host.PathOf(file)));
        card = File.ReadAllText(_host.PathOf(file) + ".card.md");
        Assert.Contains("each image by its own mean and deviation", card, StringComparison.Ordinal);
        Assert.Equal(said, card.Contains("--standardize", StringComparison.Ordinal));
    }

    [Fact]
    public void What_does_not_fit_is_named_name_by_name()
    {
        FeatureClassifier net = Saved("net.pth");
        NamedArray[] state = [.. net.State().Where(a => a.Name != "bn.bias")
            .Select(a => a.Name == "linear.bias" ? NamedArray.FromFloats("linear.bias", [1, 2], 2) : a)];
        TorchFile.Write(_host.PathOf("odd.pth"), [.. state, NamedArray.FromFloats("bn.biass", [1f], 1)]);
        Assert.Equal(ExitCode.Checkpoint, _host.Run("import", _host.PathOf("odd.pth"), "--model", "preactresnet18", "-o",
            _host.PathOf("x.safetensors")));
        Assert.Contains("missing     bn.bias  (the file has bn.biass)", _host.Out);
        Assert.Contains("unexpected  bn.biass", _host.Out);
        Assert.Contains("reshaped    linear.bias (model [7], file [2])", _host.Out);
        Assert.Contains("1 missing, 1 unexpected, 1 reshaped", _host.Error);
        Assert.False(File.Exists(_host.PathOf("x.safetensors")));
        Assert.Equal(ExitCode.Done, _host.Run("import", _host.PathOf("odd.pth"), "--model", "preactresnet18", "-o",
            _host.PathOf("x.safetensors"), "--no-strict"));
        Assert.True(File.Exists(_host.PathOf("x.safetensors")));
    }

    [Theory]
    [InlineData("net.pth", "--model", "preactresnet18")]
    [InlineData("net.safetensors")]
    public void Logits_of_float_images_are_kept(string file, params string[] more)
    {
        FeatureClassifier net = Saved(file);
        float[] images = [.. Enumerable.Range(0, 5 * net.InputShape.SampleCount).Select(i => (i * 37 % 1000) / 999.5f)];
        Npz.Write(_host.PathOf("data.npz"), [NamedArray.FromFloats("images", images, 5, 3, 12, 12),
            NamedArray.FromInt64("labels", [0, 1, 2, 3, 4], 5)]);
        string[] arguments = ["eval", _host.PathOf(file), "--data", "npz:" + _host.PathOf("data.npz"), "--attacks", "clean",
            "--save-logits", _host.PathOf("out.npy"), .. more];
        Assert.Equal(ExitCode.Done, _host.Run([.. arguments, "--batch-size", "2", "--json", _host.PathOf("r.json")]));
        Bits.Equal(ModelState.Logits(net, images, 5), Npy.Read(_host.PathOf("out.npy")).ToFloats());
        Assert.Contains("Clean", _host.Out);
        Assert.Contains("\"images\": 5", File.ReadAllText(_host.PathOf("r.json")));
    }

    /// <summary>Against difference quotients of the loss in training mode, along a random direction of each parameter.</summary>
    [Fact]
    public void Gradients_are_those_of_the_loss_in_training_mode()
    {
        FeatureClassifier net = Saved("net.pth");
        float[] images = [.. Enumerable.Range(0, 6 * net.InputShape.SampleCount).Select(i => (i * 37 % 1000) / 999.5f)];
        Npz.Write(_host.PathOf("data.npz"), [NamedArray.FromFloats("images", images, 6, 3, 12, 12),
            NamedArray.FromInt64("labels", [0, 1, 2, 3, 4, 5], 6)]);
        Assert.Equal(ExitCode.Done, _host.Run(
            "eval", _host.PathOf("net.pth"), "--model", "preactresnet18", "--data", "npz:" + _host.PathOf("data.npz"), "--attacks",
            "clean", "--save-gradients", _host.PathOf("g.npz")));
        var gradients = Npz.Read(_host.PathOf("g.npz"));
        Assert.Equal(net.Parameters.Parameters.Select(p => p.Name).Order(), gradients.Keys.Order());
        foreach (var parameter in net.Parameters.Parameters)
        {
            Assert.Equal(parameter.Dimensions.Select(d => (long)d), gradients[parameter.Name].Shape);
            float[] direction = gradients[parameter.Name].ToFloats();
            double length = Math.Sqrt(direction.Sum(g => (double)g * g)), step = 2e-3 / length;
            double slope = (Loss(net, images, parameter, direction, step)
                - Loss(net, images, parameter, direction, -step)) / (2 * step) / length;
            Assert.True(Math.Abs(slope - length) < 0.05 * length + 2e-4,
                $"{parameter.Name}: the loss rises by {slope}, the gradient says {length}");
        }
    }

    private double Loss(FeatureClassifier net, float[] images, Parameter parameter, float[] direction, double step)
    {
        float[] before = parameter.ToArray();
        parameter.Upload([.. before.Zip(direction, (w, d) => (float)(w + step * d))]);
        var tape = new Tape(_device);
        var loss = tape.CrossEntropy(net.Forward(tape, Tensor.From(_device, net.InputShape.WithBatch(6), images), BnMode.Train),
            Labels.From(_device, [0, 1, 2, 3, 4, 5]));
        tape.Forward();
        parameter.Upload(before);
        return loss.Terms[0].ReadPart(0);
    }

    [Fact]
    public void A_normalisation_that_is_given_is_kept_in_the_file()
    {
        Saved("net.pth");
        Assert.Equal(ExitCode.Done, _host.Run(
            "import", _host.PathOf("net.pth"), "--model", "preactresnet18", "--mean", "0.5,0.4,0.3", "--std", "0.2,0.2,0.1", "-o",
            _host.PathOf("n.safetensors")));
        using SafetensorsFile file = Safetensors.Read(_host.PathOf("n.safetensors"));
        Assert.Equal(("0.5,0.4,0.3", "0.2,0.2,0.1"), (file.Metadata["rpat.input_mean"], file.Metadata["rpat.input_std"]));
    }

    [Fact]
    public void A_file_that_does_not_say_what_it_is_asks_for_the_model()
    {
        TorchFile.Write(_host.PathOf("net.pth"), [.. Saved("net.pth").State(), NamedArray.FromFloats("layer1.0.gate.weight", [1], 1)]);
        Assert.Equal(ExitCode.Usage, _host.Run("export", _host.PathOf("net.pth"), "-o", _host.PathOf("x.npz")));
        Assert.Contains("give --model NAME", _host.Error);
    }

    [Fact]
    public void Weights_of_another_model_are_refused()
    {
        Saved("net.pth");
        Assert.Equal(ExitCode.Checkpoint, _host.Run("export", _host.PathOf("net.pth"), "--model", "resnet18", "-o", _host.PathOf("x.npz")));
        Assert.Contains("does not hold the weights of resnet18", _host.Error);
        Assert.Single(_host.Error.TrimEnd().Split('\n'));
    }

    private FeatureClassifier Saved(string file)
    {
        FeatureClassifier net = ModelCatalog.Build(_device, _spec, seed: 3);
        ModelState.Disturb(net, seed: 4);
        string path = _host.PathOf(file);
        if (file.EndsWith(".npz", StringComparison.Ordinal)) Npz.Write(path, [.. net.State()]);
        else if (file.EndsWith(".safetensors", StringComparison.Ordinal)) Safetensors.Write(path, net.State(), ModelMetadata.Write(_spec));
        else TorchFile.Write(path, net.State());
        return net;
    }
}
