using Rpat.Models;

namespace Rpat.Tests.Trainer.Cli;

/// <summary><c>rpat eval blackbox</c> and <c>eval corruptions</c>, end to end on a tiny net.</summary>
public sealed class BlackBoxCommandTests : EvaluatedNet
{
    [Fact]
    public void AnOnnxFileIsMeasuredByItsAnswersAlone()
    {
        string onnx = Test.PathOf("net.onnx"), own = Test.PathOf("own");
        Assert.Equal(0, Test.Run("export", Model, "-o", onnx));
        using var box = new TestHost();
        Assert.Equal(0, box.Run("eval", "blackbox", onnx, "--data", $"npz:{Data}", "--queries", "20", "--surrogate", Model, "--transfer",
            "pgd5", "--json"));
        var measured = JsonDocument.Parse(box.Out).RootElement;
        static int Correct(JsonElement accuracy) => accuracy.GetProperty("correct").GetInt32();
        int clean = Correct(measured.GetProperty("clean"));
        var rows = measured.GetProperty("results").EnumerateArray().ToList();
        Assert.Equal(0, Test.Run("eval", Model, "--data", $"npz:{Data}", "--attacks", "pgd5", "--out", own));
        using var same = JsonDocument.Parse(File.ReadAllText(Path.Combine(own, "result.json")));
        Assert.Equal(same.RootElement.GetProperty("clean_correct").GetInt32(), clean);
        Assert.Equal(same.RootElement.GetProperty("columns")[0].GetProperty("robust").GetInt32(), Correct(rows[1].GetProperty("accuracy")));
        Assert.InRange(Correct(rows[0].GetProperty("accuracy")), 0, clean);
        Assert.Equal(["square", "pgd5-transfer"], rows.Select(row => row.GetProperty("attack").GetString()));
        Assert.Equal(2, box.Run("eval", "blackbox", Data, "--data", $"npz:{Data}"));
        Assert.Contains("is no network that ONNX Runtime can run", box.Error);
        Assert.Contains("'rpat eval ", box.Error);
        using var device = Device.Cpu(1);
        var asked = new BlackBox(device, new Shape(1, 1, 8, 8), 10, images => new float[images.Length / 64 * 10]);
        Assert.Throws<InvalidOperationException>(() => new AttackRunner(asked).Perturb(Apgd.CrossEntropy, new float[64], [0]));
    }

    [Fact]
    public void CorruptionsOfAnOnnxFileAreThoseOfItsNetwork()
    {
        string onnx = Test.PathOf("net.onnx"), folder = WriteCorruptions(), csv = Test.PathOf("grid.csv");
        Assert.Equal(0, Test.Run("export", Model, "-o", onnx));
        Assert.Equal(0, Test.Run("eval", "corruptions", Model, "--folder", folder, "--csv", csv));
        double mean = File.ReadAllLines(csv)[2].Split(',').Skip(1).Average(cell => double.Parse(cell, CultureInfo.InvariantCulture));
        using var box = new TestHost();
        Assert.Equal(0, box.Run("eval", "blackbox", onnx, "--data", $"npz:{Data}", "--queries", "0", "--corruptions", folder, "--json"));
        var row = JsonDocument.Parse(box.Out).RootElement.GetProperty("corruptions");
        Assert.Equal(15, row.GetProperty("corruptions").GetArrayLength());
        Assert.Single(Directory.GetFiles(box.PathOf("runs"), "corruptions.json", SearchOption.AllDirectories));
        Assert.Equal(mean, row.GetProperty("accuracy").GetDouble(), 1e-9);
        Assert.InRange(mean, 0.01, 0.99);
        File.Delete(Path.Combine(folder, "snow.npy"));
        Assert.Equal(3, box.Run("eval", "blackbox", onnx, "--data", $"npz:{Data}", "--queries", "0", "--corruptions", folder));
        Assert.Contains("snow.npy", box.Error);
    }

    // Like any evaluation: kept among the runs, resumed, verified, reported, its data remembered.
    [Fact]
    public void ABlackBoxEvaluationIsKeptAndVerifies()
    {
        string onnx = Test.PathOf("net.onnx");
        Assert.Equal(0, Test.Run("export", Model, "-o", onnx));
        string[] line = ["eval", "blackbox", onnx, "--queries", "10", "--n", "6"];
        Assert.Equal(2, Test.Run(line));
        Assert.Contains("rpat: --data is missing", Test.Error, StringComparison.Ordinal);
        Assert.True(Test.Run([.. line, "--data", $"npz:{Data}", "--surrogate", Model, "--transfer", "fgsm"]) == 0, Test.Error);
        foreach (string part in new[] { "\nSquare (10 queries) ", "\nFGSM-transfer ", "an upper bound of the robust accuracy\n" })
            Assert.Contains(part, Test.Out, StringComparison.Ordinal);
        Assert.Matches("robust accuracy after Square linf eps 8/255: .* 6\\)", Test.Error);
        using var again = new TestHost(("RPAT_RUNS", Test.PathOf("runs")));
        Assert.True(again.Run("eval", "verify", onnx, "--rerun", "3") == 0, again.Out + again.Error);
        Assert.Contains(" 0 problems", again.Out, StringComparison.Ordinal);
        Assert.True(again.Run([.. line, "--resume"]) == 0, again.Error);
        Assert.True(again.Run("report", onnx, "--markdown") == 0, again.Error);
        Assert.Contains("| Square (", again.Out, StringComparison.Ordinal);
        Assert.Equal(6, again.Run("eval", onnx));
        Assert.Contains("'rpat eval blackbox'", again.Error, StringComparison.Ordinal);
        string other = Test.PathOf("other.onnx"), folder = Directory.GetDirectories(Test.PathOf("runs"), "square+fgsm-transfer-*",
            SearchOption.AllDirectories).Single();
        using (var device = Device.Cpu(1))
            Safetensors.Write(Model, ModelCatalog.Build(device, Spec, seed: 2).State(), ModelMetadata.Write(Spec));
        Assert.Equal(0, again.Run("export", Model, "-o", other));
        Assert.Equal(8, again.Run("eval", "verify", folder, "--checkpoint", other));
    }

    /// <summary>A nearest point that is outside the ball is no example of this radius, and no mistake of the attack.</summary>
    [Fact]
    public void AnAttackThatSearchesTheNearestPointIsTransferredWithinTheBall()
    {
        string onnx = Test.PathOf("net.onnx");
        Assert.Equal(0, Test.Run("export", Model, "-o", onnx));
        Assert.True(Test.Run("eval", "blackbox", onnx, "--data", $"npz:{Data}", "--queries", "0", "--surrogate", Model, "--transfer",
            "deepfool", "--eps", "1/2550") == 0, Test.Error);
        Assert.Contains("\nDeepFool-transfer ", Test.Out, StringComparison.Ordinal);
        Assert.DoesNotContain("infeasible", Test.Out + Test.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void AHelpListsItsOwnArgumentsOnly()
    {
        Assert.Equal(0, Test.Run("eval", "blackbox", "--help"));
        Assert.Contains("eval blackbox <FILE.onnx> [options]", Test.Out, StringComparison.Ordinal);
        Assert.DoesNotContain("CHECKPOINT> blackbox", Test.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void Corruptions_are_averaged_over_the_grid()
    {
        string folder = WriteCorruptions(), csv = Test.PathOf("grid.csv");
        Assert.Equal(0, Test.Run("eval", "corruptions", Model, "--folder", folder, "--csv", csv));
        Assert.Contains("15 corruptions x 5 severities", Test.Out);
        string[][] lines = [.. File.ReadAllLines(csv).Select(line => line.Split(','))];
        Assert.All(lines, line => Assert.Equal(76, line.Length));
        File.Delete(Path.Combine(folder, "fog.npy"));
        Assert.Equal(3, Test.Run("eval", "corruptions", Model, "--folder", folder));
        Assert.Contains("fog.npy", Test.Error);
    }

    // Like any evaluation: kept in its folder, resumed after a stop, said to be there, shown with the others.
    [Fact]
    public void AccuracyOnCorruptionsIsKept()
    {
        string folder = WriteCorruptions();
        string[] line = ["eval", "corruptions", Model, "--corruptions", folder, "--only", "fog,snow", "--n", "2", "-j", "1", "-b", "2"];
        Assert.True(Test.Run(line) == 0, Test.Error);
        string kept = Directory.GetDirectories(Test.PathOf("runs"), "corruptions-fog+snow-n2", SearchOption.AllDirectories).Single(),
            file = Path.Combine(kept, "corruptions.json"), whole = File.ReadAllText(file), first = Test.Out;
        Assert.Contains($"folder: {kept}\n", first, StringComparison.Ordinal);
        var report = CorruptionReport.In(kept)!;
        File.WriteAllText(file, JsonSerializer.Serialize(report with { Cells = [.. report.Cells.Take(7)] }, RunJson.Format));
        Assert.True(Test.Run("runs", "show", Model) == 0, Test.Error);
        Assert.Contains("corruptions-fog+snow-n2 has not finished", Test.Out, StringComparison.Ordinal);
        Assert.True(Test.Run([.. line, "--resume"]) == 0, Test.Error);
        Assert.Equal(whole, File.ReadAllText(file));
        File.Delete(file); // stopped before the first cell
        Assert.True(Test.Run([.. line, "--resume"]) == 0, Test.Error);
        Assert.Equal(whole, File.ReadAllText(file));
        Assert.True(Test.Run(line) == 0, Test.Error);
        Assert.Contains("note: measured before, with the same weights, images and settings: ", Test.Error, StringComparison.Ordinal);
        Assert.EndsWith(first, Test.Out, StringComparison.Ordinal);
        Assert.True(Test.Run([.. line, "--again"]) == 0, Test.Error);
        Assert.Equal(whole, File.ReadAllText(Path.Combine(kept + "-2", "corruptions.json")));
        Assert.True(Test.Run("runs", "show", Model) == 0, Test.Error);
        Assert.Contains("mean of 2 corruptions x 5 severities of 2 images each, corruptions-fog+snow-n2\n", Test.Out,
            StringComparison.Ordinal);
        Assert.True(Test.Run("report", Model, "-o", Test.PathOf("page.html")) == 0, Test.Error);
        Assert.Contains("<h2>Corruptions</h2>", File.ReadAllText(Test.PathOf("page.html")), StringComparison.Ordinal);
        Assert.Equal(2, Test.Run("eval", "verify", kept));
        Assert.Contains("whose images it does not keep", Test.Error, StringComparison.Ordinal);
        Assert.Equal(2, Test.Run("eval", Model)); // the folder of corruptions is no data set of the file
    }

    [Fact]
    public void EveryMissingFileIsNamedBeforeAnythingIsMeasured()
    {
        string folder = WriteCorruptions();
        foreach (string name in (string[])["fog", "contrast"]) File.Delete(Path.Combine(folder, name + ".npy"));
        Assert.Equal(3, Test.Run("eval", "corruptions", Model, "--folder", folder));
        Assert.Contains("lacks fog.npy, contrast.npy: ", Test.Error, StringComparison.Ordinal);
        Assert.Contains("--only shot_noise,motion_blur,", Test.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("shot_noise: ", Test.Error, StringComparison.Ordinal);
        Assert.Equal(2, Test.Run("eval", "corruptions", Model, "--folder", folder, "--only", "snwo"));
        Assert.Contains("--only has 'snwo': did you mean 'snow'?", Test.Error, StringComparison.Ordinal);
    }

    private string WriteCorruptions()
    {
        string folder = Directory.CreateDirectory(Test.PathOf("c")).FullName;
        Npy.Write(Path.Combine(folder, "labels.npy"), NamedArray.FromInt64("labels", [1, 2, 3], 3));
        var pixels = new byte[15 * 64];
        var random = new Random(4);
        foreach (string name in Corruptions.Known.All())
        {
            random.NextBytes(pixels);
            Npy.Write(Path.Combine(folder, $"{name}.npy"), new NamedArray(name, ElementType.U8, [15, 8, 8, 1], pixels));
        }
        return folder;
    }
}
