using Rpat.Models;
using Rpat.Tests.IO;
using Rpat.Tests.Models;

namespace Rpat.Tests.Trainer.Weights;

/// <summary>A file of weights says by names and shapes which network it holds, and what it does not say is said in a note.</summary>
public sealed class RecognitionTests : IDisposable
{
    private static readonly WeightChoice _unnamed = new(null, null, [], [], Strict: true);

    private readonly TempFolder _folder = new();
    private readonly Device _device = Device.Cpu(1);
    private readonly List<string> _notes = [];

    public void Dispose()
    {
        _device.Dispose();
        _folder.Dispose();
    }

    /// <summary>Name, sizes, and the name that a file of that network gets.</summary>
    public static TheoryData<string, int, int, string, string> Nets => new()
    {
        { "preactresnet18", 3, 1, "", "preactresnet18" },
        { "preactresnet18", 3, 1, "3,1x3,2x5,1x7,1x9", "preactresnet18" },
        { "preactresnet18-benchmarks", 3, 1, "", "preactresnet18-benchmarks" },
        { "preactresnet18-fast", 3, 1, "", "preactresnet18-fast" },
        { "dm-preactresnet18", 3, 1, "", "dm-preactresnet18" },
        { "resnet18", 3, 1, "", "resnet18" },
        { "resnet18-bottleneck", 2, 0, "2,1x2,2x4,1x8,1x16", "resnet18-bottleneck" },
        { "wideresnet34-10", 1, 2, "", "wideresnet16-1" },
        { "wideresnet28-10-pssilu", 1, 1, "", "wideresnet10-1-pssilu" },
        { "wideresnet34-20-normalized", 1, 1, "", "wideresnet10-1-normalized" },
        { "dm-wideresnet28-10", 2, 1, "", "dm-wideresnet10-2" },
        { "dm-wideresnet70-16-meansparse", 1, 1, "", "dm-wideresnet10-1-meansparse" },
        { "robust-wideresnet", 3, 1, "", "robust-wideresnet" },
        { "wideresnet-a4", 5, 1, "", "wideresnet-a4" },
        { "se-wideresnet", 4, 1, "", "se-wideresnet" },
        { "se-wideresnet-meansparse", 4, 1, "", "se-wideresnet-meansparse" },
        { "vgg16", 3, 0, "", "vgg16" },
        { "mobilenetv2", 4, 0, "", "mobilenetv2" },
        { "xcit-s12", 24, 1, "", "xcit-s12" },
    };

    [Theory]
    [MemberData(nameof(Nets))]
    public void Names_and_shapes_say_which_network_a_file_holds(string name, int width, int blocks, string stages, string named)
    {
        NamedArray[] state = State(new ModelSpec(name, new Shape(1, 3, 32, 32), 7) { Width = width, Blocks = blocks, Stages = stages });
        LoadedNetwork loaded = Load("net.pt", [.. state.Select(a => a with { Name = "state_dict.module." + a.Name })]);
        Assert.Equal((named, 7), (loaded.Spec.Name, loaded.Spec.Classes));
        Assert.Contains(_notes, note => note == $"names and shapes are those of {named}");
        var found = loaded.Net.State().ToDictionary(a => a.Name);
        Assert.All(state.Where(a => a.Name != "fc.weight"), a => Assert.True(a.Data.Span.SequenceEqual(found[a.Name].Data.Span), a.Name));
        string saved = _folder.File("net.safetensors");
        Safetensors.Write(saved, loaded.Net.State(), ModelMetadata.Write(loaded.Spec));
        ModelSpec again = NetworkFile.Load(_device, saved, _unnamed, _notes.Add).Spec;
        Assert.Equal(loaded.Spec with { Normalization = null }, again with { Normalization = null });
    }

    [Theory]
    [InlineData(10, 0.4914f)]
    [InlineData(100, 0.5071f)]
    [InlineData(7, null)]
    public void What_published_networks_have_inside_is_taken_and_said(int classes, float? mean)
    {
        LoadedNetwork loaded = Load("net.pt", State(Dm(classes)));
        Assert.Equal(mean, loaded.Spec.Normalization?.Mean[0]);
        Assert.Equal(mean is not null, _notes.Any(note => note.Contains("inside the published network")));
        LoadedNetwork given = Load("net.pt", State(Dm(classes)), _unnamed with { Mean = [0.25f], Std = [0.5f] });
        Assert.Equal([0.25f, 0.25f, 0.25f], given.Spec.Normalization!.Value.Mean);
        Assert.Equal([0.5f, 0.5f, 0.5f], given.Spec.Normalization!.Value.Std);
    }

    [Theory]
    [InlineData("Hendrycks2019Using.pt", 0.5f, false)]
    [InlineData("Rice2020Overfitting.pt", 0.4914f, false)]
    [InlineData("Ding2020MMA.pt", null, true)]
    [InlineData("wrn-per-image-standardised.pt", null, true)]
    [InlineData("Standard.pt", null, false)]
    public void A_files_name_says_how_published_networks_see_images(string file, float? mean, bool standardizes)
    {
        NamedArray[] state = State(new ModelSpec("wideresnet10-1", new Shape(1, 3, 32, 32), 10));
        LoadedNetwork loaded = Load(file, state);
        Assert.Equal((mean, standardizes), (loaded.Spec.Normalization?.Mean[0], loaded.Net.StandardizesImages));
        Assert.False(Load(file, state, _unnamed with { Mean = [0], Std = [1] }).Net.StandardizesImages);
        LoadedNetwork told = Load("Standard.pt", state, _unnamed with { Standardizes = true });
        Assert.True(told.Net.StandardizesImages);
        Assert.Equal(told.Spec with { Normalization = null }, ModelMetadata.Read(ModelMetadata.Write(told.Spec), "net"));
    }

    [Fact]
    public void A_mixture_of_networks_is_not_one_of_them()
    {
        NamedArray[] all = [.. Under("rob_model.", State(Dm(10))), NamedArray.FromFloats("_alpha", [1]),
            NamedArray.FromFloats("std_model.root.conv.weight", new float[3 * 3 * 7 * 7], 3, 3, 7, 7)];
        string message = Assert.Throws<UsageException>(() => Load("net.pt", all)).Message;
        Assert.Contains("more than one network: 'rob_model' is a dm-wideresnet10-1, and 'std_model.root.conv.weight'", message);
        Assert.Equal("dm-wideresnet10-1", Load("net.pt", all, _unnamed with { Model = "dm-wideresnet10-1" }).Spec.Name);
        NamedArray[] training = [.. Under("model.", State(Dm(10))), .. Under("ema.", State(Dm(10))),
            NamedArray.FromFloats("optimizer.state.0.momentum_buffer", new float[16 * 27], 16, 3, 3, 3)];
        Assert.Equal("dm-wideresnet10-1", Load("net.pt", training).Spec.Name);
    }

    [Fact]
    public void The_nearest_network_is_named_where_none_fits()
    {
        NamedArray[] all = [.. State(Dm(10)), NamedArray.FromFloats("layer.0.block.0.gate.weight", new float[4], 2, 2)];
        string message = Assert.Throws<UsageException>(() => Load("net.pt", all)).Message;
        Assert.Contains("give --model NAME", message);
        Assert.Contains("the nearest is dm-wideresnet28-10, with 1 unexpected: layer.0.block.0.gate.weight", message);
    }

    [Theory]
    [InlineData("16")]
    [InlineData("16,2x")]
    [InlineData("16,0x8")]
    [InlineData("a,1x2")]
    public void Sizes_that_are_none_are_refused(string stages)
    {
        var metadata = ModelMetadata.Write(new ModelSpec("robust-wideresnet", new Shape(1, 3, 32, 32), 10) { Stages = stages });
        Assert.Contains($"'{stages}' in its metadata", Assert.Throws<CheckpointException>(() => ModelMetadata.Read(metadata, "f")).Message);
    }

    [Fact]
    public void Gradients_by_images_do_not_depend_on_the_batch()
    {
        FeatureClassifier net = ModelCatalog.Build(_device, new ModelSpec("preactresnet18", new Shape(1, 1, 8, 8), 3)
        { Width = 4, Blocks = 1 }, seed: 2);
        float[] images = [.. Enumerable.Range(0, 5 * 64).Select(i => i * 37 % 101 / 100f)];
        int[] labels = [0, 2, 1, 0, 1];
        float[] Written(int batch)
        {
            string path = _folder.File($"g{batch}.npy");
            GradientFile.WriteInputs(path, net, images, labels, batch);
            NamedArray array = Npy.Read(path);
            Assert.Equal([5, 1, 8, 8], array.Shape);
            return array.ToFloats();
        }
        float[] gradients = Written(5);
        Assert.Equal(gradients, Written(2));
        float[] moved = [.. images.Zip(gradients, (x, g) => x + 1e-3f * g)];
        double change = Loss(net, moved, labels) - Loss(net, images, labels), expected = 1e-3 * gradients.Sum(g => (double)g * g);
        Assert.InRange(change / expected, 0.97, 1.03);
    }

    private static double Loss(FeatureClassifier net, float[] images, int[] labels) => ModelState.Logits(net, images, labels.Length)
        .Chunk(net.Classes).Select((row, i) => Math.Log(row.Sum(z => Math.Exp(z))) - row[labels[i]]).Sum();

    private static ModelSpec Dm(int classes) => new("dm-wideresnet10-1", new Shape(1, 3, 32, 32), classes);

    private NamedArray[] State(ModelSpec spec)
    {
        FeatureClassifier net = ModelCatalog.Build(_device, spec, seed: 3);
        ModelState.Disturb(net, seed: 4);
        return [.. net.State()];
    }

    private static IEnumerable<NamedArray> Under(string prefix, IEnumerable<NamedArray> state) =>
        state.Select(a => a with { Name = prefix + a.Name });

    private LoadedNetwork Load(string name, NamedArray[] arrays, WeightChoice? choice = null)
    {
        string path = _folder.File(name);
        TorchFile.Write(path, arrays);
        _notes.Clear();
        return NetworkFile.Load(_device, path, choice ?? _unnamed, _notes.Add, new Shape(1, 3, 32, 32));
    }
}
