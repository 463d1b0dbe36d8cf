namespace Rpat.Tests.Trainer.Training;

/// <summary>What a run measures at its end, by any name of the attack catalog, is what <c>rpat eval</c> measures by that name.</summary>
public sealed class RunEvaluationTests : IDisposable
{
    private readonly TestHost _test = new();

    public void Dispose() => _test.Dispose();

    [Fact]
    public void Train_and_eval_mean_the_same_attack()
    {
        // The training attack's step is none of the evaluation's business.
        Assert.Equal(0, Train("--set", "eval.attacks=clean,pgd3,fgsm,square", "--set", "attack.step=1/255", "--max-steps", "3", "--seed",
            "3"));
        string run = RunFiles.Runs(_test, "runs").Single(), json = _test.PathOf("eval.json");
        using var trained = JsonDocument.Parse(File.ReadAllText(Path.Combine(run, "result.json")));
        double[] told = [.. trained.RootElement[0].GetProperty("scores").EnumerateArray()
            .Select(score => score.GetProperty("accuracy").GetDouble())];
        string[] titles = [.. trained.RootElement[0].GetProperty("scores").EnumerateArray()
            .Select(score => score.GetProperty("title").GetString()!)];
        Assert.Equal(["Clean", "PGD-3", "FGSM", "Square"], titles);
        Assert.Equal(0, _test.Run("eval", run, "--attacks", "clean,pgd3,fgsm,square", "--eps", "8/255", "--seed", "3", "--threads", "1",
            "--json", json));
        using var evaluated = JsonDocument.Parse(File.ReadAllText(json));
        double clean = evaluated.RootElement.GetProperty("clean").GetProperty("value").GetDouble();
        double[] measured = [clean, .. evaluated.RootElement.GetProperty("results").EnumerateArray()
            .Select(column => column.GetProperty("accuracy").GetProperty("value").GetDouble())];
        Assert.Equal(told, measured);
    }

    [Theory]
    [InlineData("eval.attacks=clean,pgd", "'pgd' is no attack")]
    [InlineData("eval.attacks=clean,fgm", "Attack 'fgm' does not know the norm linf")]
    [InlineData("eval.monitor=cw-l2", "Attack 'cw-l2' does not know the norm linf")]
    public void What_cannot_be_measured_is_refused_before_anything_is_trained(string set, string sentence)
    {
        Assert.Equal(2, Train("--set", set));
        Assert.Contains(sentence, _test.Error, StringComparison.Ordinal);
        Assert.Empty(RunFiles.Runs(_test, "runs"));
    }

    private int Train(params string[] more) => _test.Run([.. TinyRun.Arguments(_test), "--out", _test.PathOf("runs"), .. more]);
}
