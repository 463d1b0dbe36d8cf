using Rpat.Models;
using Rpat.Tests.Support;

namespace Rpat.Tests.Trainer.Cli;

/// <summary>
/// An evaluation in a process of its own, killed without warning at a random moment and resumed: the same table and the same files as
/// if nothing had happened. <c>RPAT_KILLS</c> is how often; 2 by default.
/// </summary>
public sealed class KilledEvaluationTests : IDisposable
{
    private readonly TestHost _test = new();
    private readonly string[] _arguments;

    public KilledEvaluationTests()
    {
        string model = _test.PathOf("net.safetensors"), data = _test.PathOf("data.npz");
        Make(model, data);
        _arguments = ["eval", model, "--data", $"npz:{data}", "--attacks", "clean,pgd20,cw,aa", "--eps", "4/255,10/255", "--threads", "1"];
    }

    public void Dispose() => _test.Dispose();

    [Fact]
    public void Killed_and_resumed_it_ends_with_the_same_table_and_ledger()
    {
        string whole = _test.PathOf("whole");
        string table = Resume(whole);
        int kills = int.Parse(Environment.GetEnvironmentVariable("RPAT_KILLS") ?? "2", CultureInfo.InvariantCulture);
        System.Random random = new(Environment.ProcessId);
        for (int i = 0; i < kills; i++)
        {
            string cut = _test.PathOf($"cut{i}");
            Kill(cut, 0.95 * random.NextDouble());
            Assert.Equal(table, Resume(cut));
            foreach (string file in Directory.GetFiles(whole).Where(f => Path.GetFileName(f) != "journal.jsonl"))
                Assert.True(File.ReadAllBytes(file).SequenceEqual(File.ReadAllBytes(Path.Combine(cut, Path.GetFileName(file)))),
                    $"{file} differs");
        }
    }

    /// <summary>Starts the evaluation and ends it when it has written that share of its journal.</summary>
    private void Kill(string folder, double share)
    {
        long enough = (long)(share * new FileInfo(Path.Combine(_test.PathOf("whole"), "journal.jsonl")).Length);
        FileInfo journal = new(Path.Combine(folder, "journal.jsonl"));
        var start = ChildProcess.Of([.. _arguments, "--out", folder]);
        using var process = Process.Start(start)!;
        for (; !process.HasExited && (!journal.Exists || journal.Length <= enough); journal.Refresh()) Thread.Sleep(1);
        process.Kill(); // SIGKILL: nothing of the program runs any more
        process.WaitForExit();
    }

    private string Resume(string folder)
    {
        using TestHost host = new();
        Assert.Equal(0, host.Run([.. _arguments, "--out", folder, "--resume"]));
        return host.Out.Replace(folder, "");
    }

    /// <summary>A net whose logits are centred on the images, so that it sees several classes, and the classes that it sees.</summary>
    private static void Make(string model, string data)
    {
        const int count = 12;
        using var device = Device.Cpu(1);
        ModelSpec spec = new("preactresnet18", new Shape(1, 1, 8, 8), 10) { Width = 4, Blocks = 1 };
        FeatureClassifier net = ModelCatalog.Build(device, spec, seed: 1);
        byte[] pixels = new byte[count * 64];
        new System.Random(1).NextBytes(pixels);
        float[] z = Logits(net, pixels, count);
        var bias = net.Parameters.Parameters.First(p => p.Name == "linear.bias");
        bias.Upload([.. bias.ToArray().Select((b, k) => b - Enumerable.Range(0, count).Average(i => z[10 * i + k]))]);
        net.Parameters.BumpVersion();
        Safetensors.Write(model, net.State(), ModelMetadata.Write(spec));
        z = Logits(net, pixels, count);
        Npz.Write(data, [new NamedArray("images", ElementType.U8, [count, 1, 8, 8], pixels), NamedArray.FromInt64("labels",
            [.. Enumerable.Range(0, count).Select(i => (long)Predictions.ArgMax(z.AsSpan(10 * i, 10)))], count)]);
    }

    private static float[] Logits(Classifier net, byte[] pixels, int count)
    {
        Tensor x = Tensor.From(net.Device, net.InputShape.WithBatch(count), Array.ConvertAll(pixels, p => p / 255f));
        Tape tape = new(net.Device);
        Tensor z = tape.Retain(net.Forward(tape, x, BnMode.Eval));
        tape.Forward();
        return z.ToArray();
    }
}
