using Rpat.Models;
using Rpat.Tests.IO;
using Rpat.Tests.Models;
using Rpat.Tests.Support;

namespace Rpat.Tests.Trainer.Weights;

/// <summary>The network's weights are found in whatever a training script saved around them.</summary>
public sealed class WeightSearchTests : IDisposable
{
    private static readonly WeightChoice _any = new("preactresnet18", null, [], [], Strict: true);

    private static readonly string[] _wrappers = ["module.", "model.", "net.", "_orig_mod.", "student.", "basic_net.", "1.", "state_dict.",
        "ema.", "_fsdp_wrapped_module."];

    private static readonly NamedArray[] _beside =
    [
        Floats("criterion.weight", 10), Floats("state_dict.criterion.pos_weight", 7), Floats("train_acc.tp", 10), Floats("best_acc1"),
        Floats("epoch", 1),
        Floats("optimizer.state.0.momentum_buffer", 3, 3, 3, 3), Floats("lr_schedulers.0.base", 1), Floats("callbacks.best_model_score"),
    ];

    private readonly TempFolder _folder = new();
    private readonly Device _device = Device.Cpu(1);
    private readonly List<string> _notes = [];
    private readonly NamedArray[] _state;

    public WeightSearchTests() => _state = State(new ModelSpec("preactresnet18", new Shape(1, 3, 8, 8), 7) { Width = 3, Blocks = 1 });

    public void Dispose()
    {
        _device.Dispose();
        _folder.Dispose();
    }

    /// <summary>Prefixes in any nesting and order, any of what stands beside, in each format.</summary>
    [Theory]
    [InlineData(".safetensors")]
    [InlineData(".pt")]
    [InlineData(".npz")]
    public void Prefixes_in_any_nesting_and_what_stands_beside_do_not_matter(string extension)
    {
        var random = new System.Random(extension.Length);
        for (int i = 0; i < 25; i++)
        {
            string prefix = string.Concat(Enumerable.Range(0, random.Next(4)).Select(_ => _wrappers[random.Next(_wrappers.Length)]));
            NamedArray[] beside = [.. _beside.Where(_ => random.Next(2) == 0)];
            NamedArray[] all = [.. Under(prefix, _state), .. beside];
            if (random.Next(2) == 0) random.Shuffle(all);
            LoadedNetwork loaded = Load(extension, all);
            AssertIs(_state, loaded, prefix);
            Assert.Equal(beside.Length > 0, _notes.Any(note => note.StartsWith("left out", StringComparison.Ordinal)));
        }
    }

    [Fact]
    public void Wrappers_inside_the_network_are_taken_off()
    {
        NamedArray[] wrapped = [.. _state.Select(a => a with
            { Name = a.Name.Replace("layer1.", "layer1._orig_mod.").Replace("conv2.", "conv2.module.") })];
        AssertIs(_state, Load(".safetensors", wrapped), "inside");
    }

    [Theory]
    [InlineData("model.", "ema.", "ema")]
    [InlineData("state_dict.net.", "state_dict.net_ema.", "state_dict.net_ema")]
    [InlineData("student.", "teacher.module.", "teacher.module")]
    [InlineData("raw.", "averaged.module.", "averaged")]
    [InlineData("", "ema.", "ema")]
    [InlineData("last.model.", "best.model.", "best")]
    public void Of_two_that_fit_one_is_taken_and_the_other_is_named(string taken, string other, string key)
    {
        NamedArray[] average = [.. _state.Select(a => a.Type == ElementType.F32
            ? NamedArray.FromFloats(a.Name, [.. a.ToFloats().Select(v => v + 1)], a.Shape) : a)];
        NamedArray[] all = [.. Under(other, average), .. Under(taken, _state)];
        LoadedNetwork loaded = Load(".safetensors", all);
        AssertIs(_state, loaded, taken);
        Assert.Contains(_notes, note => note.Contains($"'{other.TrimEnd('.')}' fit as well") && note.Contains("--key"));
        AssertIs(average, Load(".safetensors", all, _any with { Key = key }), key);
    }

    [Theory]
    [InlineData("module.", "module.normalizer.mean", "module.normalizer.std")]
    [InlineData("1.", "0.mean", "0.std")]
    [InlineData("state_dict.model.", "state_dict.normalize.mean", "state_dict.normalize.std")]
    [InlineData("", "mu", "sigma")]
    public void The_normalisation_beside_it_is_taken(string prefix, string mean, string std)
    {
        NamedArray[] all = [.. Under(prefix, _state), NamedArray.FromFloats(mean, [0.1f, 0.2f, 0.3f], 1, 3, 1, 1),
            NamedArray.FromFloats(std, [0.5f, 0.6f, 0.7f], 3)];
        LoadedNetwork loaded = Load(".safetensors", all);
        AssertIs(_state, loaded, prefix);
        Assert.Equal([0.1f, 0.2f, 0.3f], loaded.Spec.Normalization!.Value.Mean);
        Assert.NotNull(loaded.Net.Normalization);
    }

    [Theory]
    [InlineData("")]
    [InlineData("module.")]
    public void A_block_that_public_wide_resnets_never_call_is_left_out(string prefix)
    {
        NamedArray[] wide = State(new ModelSpec("wideresnet10-1", new Shape(1, 3, 8, 8), 7));
        NamedArray[] unused = [.. wide.Where(a => a.Name.StartsWith("block1.", StringComparison.Ordinal)).Select(a => a with
            { Name = "sub_" + a.Name })];
        LoadedNetwork loaded = Load(".pt", [.. Under(prefix, [.. wide, .. unused])], _any with { Model = "wideresnet10-1" });
        AssertIs(wide, loaded, prefix);
        Assert.Contains(_notes, note => note.Contains("sub_block1"));
    }

    [Fact]
    public void Layers_that_the_network_has_not_are_no_numbers_beside_it()
    {
        NamedArray[] all = [.. Under("module.", _state), Floats("module.attention.weight", 3, 3)];
        Assert.Contains("attention.weight", Assert.Throws<CheckpointException>(() => Load(".pt", all)).Message);
        LoadedNetwork loaded = Load(".pt", all, _any with { Strict = false });
        Assert.Equal(["attention.weight"], loaded.Report.Unexpected);
    }

    [Fact]
    public void Random_weights_are_never_passed_off_as_the_files()
    {
        WeightChoice loosely = _any with { Strict = false };
        string message = Assert.Throws<CheckpointException>(
            () => Load(".pt", [Floats("a.weight", 3), Floats("b.weight", 4)], loosely)).Message;
        Assert.Contains("holds only 0 of", message);
        Assert.Throws<CheckpointException>(() => Load(".pt", [.. _state.Take(_state.Length / 4)], loosely));
        NamedArray[] most = [.. _state.Where(a => a.Name != "linear.bias")];
        _ = Load(".pt", most, loosely);
        Assert.Contains(_notes, note => note.Contains("linear.bias") && note.Contains("first values"));
    }

    [Fact]
    public void Weights_that_are_made_of_others_are_named()
    {
        NamedArray[] all = [.. _state.SelectMany(a => a.Name == "conv1.weight" ? [a with
            { Name = "conv1.weight_v" }, Floats("conv1.weight_g", 3, 1, 1, 1)] : (NamedArray[])[a])];
        Assert.Contains("weight_norm", Assert.Throws<CheckpointException>(() => Load(".pt", all)).Message);
    }

    private NamedArray[] State(ModelSpec spec)
    {
        FeatureClassifier net = ModelCatalog.Build(_device, spec, seed: 3);
        ModelState.Disturb(net, seed: 4);
        return [.. net.State()];
    }

    private LoadedNetwork Load(string extension, NamedArray[] arrays, WeightChoice? choice = null)
    {
        string path = _folder.File("net" + extension);
        if (extension == ".npz") Npz.Write(path, arrays, compress: false);
        else if (extension == ".pt") TorchFile.Write(path, arrays);
        else Safetensors.Write(path, arrays);
        _notes.Clear();
        return NetworkFile.Load(_device, path, choice ?? _any, _notes.Add, new Shape(1, 3, 8, 8));
    }

    private static IEnumerable<NamedArray> Under(string prefix, IEnumerable<NamedArray> state) =>
        state.Select(a => a with { Name = prefix + a.Name });

    private static NamedArray Floats(string name, params long[] shape) =>
        NamedArray.FromFloats(name, new float[shape.Aggregate(1L, (a, b) => a * b)], shape);

    private static void AssertIs(NamedArray[] state, LoadedNetwork loaded, string what)
    {
        var found = loaded.Net.State().ToDictionary(a => a.Name);
        Assert.Equal(state.Length, found.Count);
        Assert.All(state, a => Assert.True(a.Data.Span.SequenceEqual(found[a.Name].Data.Span), $"{what}: {a.Name}"));
    }
}
