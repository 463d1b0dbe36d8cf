using Rpat.Models;

namespace Rpat.Tests.Trainer.Cli;

/// <summary><c>rpat perception</c> end to end on tiny nets.</summary>
public sealed class PerceptionCommandTests : IDisposable
{
    private readonly TestHost _test = new();

    public void Dispose() => _test.Dispose();

    [Fact]
    public void Two_networks_are_measured_into_a_table_a_page_and_json()
    {
        string a = Net("a.safetensors", 1), b = Net("b.safetensors", 2), data = Data(), folder = _test.PathOf("report");
        Assert.Equal(0, _test.Run("perception", $"M1={a}", b, "--data", $"npz:{data}", "--perturbations", "noise,pgd2", "--out", folder,
            "--threads", "1"));
        Assert.Contains("M1, noise: error", _test.Out);
        Assert.Contains("b.safetensors, PGD-2: error", _test.Out);
        Assert.Contains("features: failure, clean right", _test.Out);
        string page = File.ReadAllText(Path.Combine(folder, "perception.html"));
        Assert.Equal(2 * 3 + 2 * 2 * 4, page.Split("<svg").Length - 1);
        Assert.DoesNotContain("http", page.Replace("http://www.w3.org/2000/svg", "").Replace("http-equiv", ""));
        using var json = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "perception.json")));
        Assert.Equal(4, json.RootElement.GetArrayLength());
        Assert.Equal(11, json.RootElement[0].GetProperty("accuracy_along").GetArrayLength());
    }

    [Theory]
    [InlineData("--perturbations fgsm", "use noise, or pgd10")]
    [InlineData("--norm l3", "--norm is 'l3': did you mean 'l2'?")]
    [InlineData("--n -1", "give a number of images")]
    [InlineData("--threads -1", "it wants a whole number from 0 to 1024")]
    [InlineData("--norm l1 --eps 1000", "--eps is 1000, and no two images are farther apart than 64 in l1")]
    public void What_cannot_be_is_refused(string arguments, string sentence)
    {
        Assert.Equal(2, _test.Run(["perception", Net("a.safetensors", 1), "--data", $"npz:{Data()}", .. arguments.Split(' ')]));
        Assert.Contains(sentence, _test.Error);
    }

    [Fact]
    public void Weights_that_do_not_say_what_they_are_are_read_as_told()
    {
        string net = Net("a.safetensors", 1), bare = _test.PathOf("bare.npz");
        using (var file = Safetensors.Read(net)) Npz.Write(bare, [.. file.Tensors.Keys.Where(name => name != "linear.bias").Select(file.Load)]);
        string[] command = ["perception", bare, "--data", $"npz:{Data()}", "--perturbations", "noise", "--out", _test.PathOf("p")];
        string[] model = ["--model", "preactresnet18"];
        Assert.NotEqual(0, _test.Run([.. command, .. model]));
        Assert.Contains("--no-strict", _test.Error, StringComparison.Ordinal);
        Assert.Equal(0, _test.Run([.. command, .. model, "--no-strict", "--mean", "0.5", "--std", "0.25"]));
        Assert.Contains("note: ", _test.Error, StringComparison.Ordinal);
        Assert.Contains("linear.bias", _test.Error, StringComparison.Ordinal);
    }

    private string Net(string name, ulong seed)
    {
        ModelSpec spec = new("preactresnet18", new Shape(1, 1, 8, 8), 10) { Width = 4, Blocks = 1 };
        using var device = Device.Cpu(1);
        Safetensors.Write(_test.PathOf(name), ModelCatalog.Build(device, spec, seed).State(), ModelMetadata.Write(spec));
        return _test.PathOf(name);
    }

    private string Data()
    {
        byte[] pixels = new byte[24 * 64];
        new Random(1).NextBytes(pixels);
        Npz.Write(_test.PathOf("data.npz"), [new NamedArray("images", ElementType.U8, [24, 1, 8, 8], pixels),
            NamedArray.FromInt64("labels", [.. Enumerable.Range(0, 24).Select(i => i % 10L)], 24)]);
        return _test.PathOf("data.npz");
    }
}
