using Rpat.Models;
using Rpat.Trainer.Evaluation;
using CpuDevice = Rpat.Engine.Kernels.Cpu.CpuDevice;

namespace Rpat.Tests.Trainer.Evaluation;

/// <summary>Batches of any size, given or found, leave the same bytes.</summary>
public sealed class BatchSizeTests : IDisposable
{
    private const int Images = 60;
    private static readonly ModelSpec _spec = new("preactresnet18", new Shape(1, 1, 16, 16), 10) { Width = 4, Blocks = 1 };

    private readonly TestHost _test = new();
    private readonly string _model;
    private readonly string _data;

    public BatchSizeTests()
    {
        (_model, _data) = (_test.PathOf("net.safetensors"), _test.PathOf("data.npz"));
        using var device = Device.Cpu(1);
        Safetensors.Write(_model, ModelCatalog.Build(device, _spec, seed: 1).State(), ModelMetadata.Write(_spec));
        byte[] pixels = new byte[Images * 256];
        new System.Random(1).NextBytes(pixels);
        Npz.Write(_data,
        [
            new NamedArray("images", ElementType.U8, [Images, 1, 16, 16], pixels),
            NamedArray.FromInt64("labels", [.. Enumerable.Range(0, Images).Select(i => i % 10L)], Images),
        ]);
    }

    public void Dispose() => _test.Dispose();

    [Fact]
    public void No_file_of_an_evaluation_depends_on_the_batch_size()
    {
        var (whole, table, _) = Evaluate("50");
        foreach (string[] size in new string[][] { ["1"], ["7"], ["auto"], ["auto", "--memory", "5"] })
        {
            var (folder, other, _) = Evaluate(size);
            Assert.Equal(table.Replace(whole, folder, StringComparison.Ordinal), other);
            foreach (string file in Directory.GetFiles(whole).Where(f => Path.GetFileName(f) != "journal.jsonl"))
                Assert.True(File.ReadAllBytes(file).SequenceEqual(File.ReadAllBytes(Path.Combine(folder, Path.GetFileName(file)))),
                    $"{file} differs with {string.Join(' ', size)}");
        }
    }

    [Fact]
    public void Too_little_memory_is_a_line_for_each_halving_when_the_size_is_auto()
    {
        var (_, _, error) = Evaluate("auto", "--memory", "5");
        string[] lines = [.. error.Split('\n').Where(line => line.StartsWith("out of memory", StringComparison.Ordinal))];
        Assert.Equal("out of memory with 128 images under attack at a time: continuing with 64", lines[0]);
        Assert.InRange(lines.Length, 2, 6);
    }

    [Theory]
    [InlineData("60", "5", "out of memory with 60 images under attack at a time: choose a smaller --batch-size, or auto.")]
    [InlineData("auto", "1", "out of memory with 1 image under attack at a time: a smaller model or a device with more memory is needed.")]
    public void What_does_not_fit_at_all_is_one_sentence(string size, string memory, string sentence)
    {
        var wide = _spec with { Width = 8 };
        using (var device = Device.Cpu(1))
            Safetensors.Write(_model, ModelCatalog.Build(device, wide, seed: 1).State(), ModelMetadata.Write(wide));
        Assert.Equal(4, _test.Run(Arguments(_test.PathOf("out"), "--batch-size", size, "--memory", memory, "-q")));
        Assert.EndsWith($"rpat: {sentence}\n", _test.Error);
        Assert.Empty(_test.Out);
    }

    [Fact]
    public void Adversarial_images_do_not_depend_on_it_either()
    {
        foreach (string[] size in new string[][] { ["50"], ["auto", "--memory", "5"] })
            Assert.Equal(0, _test.Run(["attack", _model, "--data", $"npz:{_data}", "--attack", "pgd3", "--eps", "8/255", "-b", .. size,
                "--out", _test.PathOf($"{size[0]}.npz")]));
        Assert.Equal(Npz.Read(_test.PathOf("50.npz"))["images"].ToFloats(), Npz.Read(_test.PathOf("auto.npz"))["images"].ToFloats());
        Assert.Contains("continuing with", _test.Error);
    }

    [Fact]
    public void Memory_that_ends_in_the_middle_costs_only_what_was_on_its_way()
    {
        List<(int Batch, int Done)> attempts = [];
        var auto = BatchSize.Parse(BatchSize.Auto);
        var report = auto.Run(_ => { }, batch => Attempt(_test.PathOf("cut"), batch, starve: attempts.Count == 0,
            first => attempts.Add((batch, first))));
        var whole = BatchSize.Parse("32").Run(_ => { }, batch => Attempt(_test.PathOf("whole"), batch, starve: false, _ => { }));
        Assert.Equal([128, 64], attempts.Select(a => a.Batch));
        Assert.Equal(whole.Columns[0].Robust, report.Columns[0].Robust);
        Assert.Equal(File.ReadAllText(_test.PathOf("whole/ledger.jsonl")), File.ReadAllText(_test.PathOf("cut/ledger.jsonl")));
        Assert.Equal(0, attempts[0].Done);
        Assert.Equal(Images, attempts[1].Done);
    }

    [Theory]
    [InlineData("0")]
    [InlineData("-3")]
    [InlineData("many")]
    public void Anything_else_is_refused(string text) =>
        Assert.Contains("at least 1, or auto", Assert.Throws<UsageException>(() => BatchSize.Parse(text)).Message);

    // The clean pass is done when memory ends: its entries are what the second attempt finds.
    private EvaluationReport Attempt(string folder, int batch, bool starve, Action<int> found)
    {
        string journal = Path.Combine(folder, "journal.jsonl");
        found(File.Exists(journal) ? File.ReadLines(journal).Count() : 0);
        using var device = (CpuDevice)Device.Cpu(1);
        var net = ModelCatalog.Build(device, _spec, seed: 1);
        var arrays = Npz.Read(_data);
        float[] images = [.. arrays["images"].Data.ToArray().Select(b => b / 255f)];
        int[] labels = [.. Enumerable.Range(0, Images).Select(i => i % 10)];
        var options = new EvaluationPlan
        {
            Norm = Norm.Linf,
            Radii = [new Radius("0.001", 0.001)],
            SuitesAt = eps => [AttackCatalog.Find("pgd3", Norm.Linf, eps, 10, null)!],
            Batch = batch,
            Model = "net",
            ModelHash = "0",
            Data = "data",
        };
        var evaluation = new RobustEvaluation(net, options, images, labels, folder) { SkipSelfTest = true };
        if (starve) evaluation.Log = _ => device.MemoryLimit = 0;
        return evaluation.Run(resume: true);
    }

    private (string Folder, string Table, string Error) Evaluate(params string[] size)
    {
        using var host = new TestHost();
        string folder = _test.PathOf("of " + string.Join(' ', size));
        if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
        Assert.Equal(0, host.Run(Arguments(folder, ["--batch-size", .. size])));
        return (folder, host.Out, host.Error);
    }

    private string[] Arguments(string folder, params string[] more) =>
        ["eval", _model, "--data", $"npz:{_data}", "--attacks", "clean,pgd5,cw3,apgd-t", "--eps", "1/255", "--threads", "1", "--out",
        folder, .. more];
}
