using Rpat.Tests.Trainer.Training;

namespace Rpat.Tests.Trainer.Cli;

/// <summary>Options of <c>rpat train</c> that are more than one key of the configuration, and how much is said.</summary>
public sealed class TrainOptionTests : IDisposable
{
    private readonly TestHost _test = new();

    public void Dispose() => _test.Dispose();

    [Fact]
    public void WithoutARecipeTheSettingsArePgdAtsAndThatIsSaid()
    {
        string[] tiny = TinyRun.Arguments(_test);
        Assert.True(_test.Run("train", "--data", tiny[4], "--model", "PreActResNet-18", "--method", "TRADES", "--set", "model.width=4",
            "-b", "4", "--max-steps", "1", "--set", "eval.attacks=clean", "--progress", "none") == 0, _test.Error);
        Assert.Contains("note: no recipe, so what is not set is PGD-AT's published setting; this is trades, preactresnet18, 110 epochs of batches of 4, "
            + "lr 0.1, linf eps 8/255 in 10 steps of 2/255", _test.Error, StringComparison.Ordinal);
        string run = RunFiles.Runs(_test, "runs").Single();
        Assert.EndsWith("-trades-tiny", run, StringComparison.Ordinal);
        Assert.Contains("milestones: [100, 105]", File.ReadAllText(Path.Combine(run, "config.yaml")), StringComparison.Ordinal);
        Assert.Equal(2, _test.Run("train", "--model", "resnet18"));
        Assert.Contains("give --recipe NAME ('rpat recipes' lists them), --data NAME or -c FILE", _test.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--eps 0.3", "attack.eps is 0.3, a large part")]
    [InlineData("--eps 2/255 --step-size 3/255", "attack.step is 3/255, more than eps, which is 2/255")]
    [InlineData("-b 1000", "train.batch is 1000, above the number of training images, 24:")]
    [InlineData("--norm l2 --eps 0.5", null)]
    public void ALikelySlipIsOneWarning(string options, string? warning)
    {
        string[] tiny = [.. TinyRun.Arguments(_test)];
        if (options.StartsWith("-b", StringComparison.Ordinal)) tiny = [.. tiny.Where(word => word is not ("-b" or "4"))];
        Assert.True(_test.Run([.. tiny, "--max-steps", "1", .. options.Split(' ')]) == 0, _test.Error);
        string[] lines = [.. _test.Error.Split('\n').Where(line => line.StartsWith("warning: ", StringComparison.Ordinal))];
        if (warning is null) Assert.Empty(lines);
        else Assert.StartsWith($"warning: {warning}", Assert.Single(lines), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--seed -1", "--seed is -1: give a number from 0.")]
    [InlineData("--n many", "--n is 'many': give a whole number (see 'rpat eval --help')")]
    [InlineData("--data a --data b", "--data is given 2 times: give it once (see 'rpat eval --help')")]
    [InlineData("--n", "--n has no value: give N (see 'rpat eval --help')")]
    [InlineData("--log-level loud", "--log-level is 'loud': choose one of: error, warning, info, debug (see 'rpat eval --help')")]
    public void AnOptionThatDoesNotParseIsOneSentence(string options, string sentence)
    {
        string file = _test.Write("net.npz", "");
        Assert.Equal(2, _test.Run(["eval", file, .. options.Split(' ')]));
        Assert.Equal($"rpat: {sentence}\n", _test.Error);
    }

    [Theory]
    [InlineData("--method trades --rpat", "name: trades+rpat  ")]
    [InlineData("--no-rpat", "name: pgd-at  ")]
    [InlineData("--rpat", "name: pgd-at+rpat  ")]
    [InlineData("--rpat-rate 0.25", "alpha: 0.25 ")]
    [InlineData("--awp 0.005", "gamma: 0.005 ")]
    [InlineData("--overfit-batch", "overfit_batch: true ")]
    [InlineData("-j 3", "threads: 3 ")]
    [InlineData("--data cifar100", "name: cifar100  ")]
    [InlineData("--max-minutes 90 --grace 5", "max_minutes: 90 ")]
    public void AnOptionSetsItsKey(string options, string expected)
    {
        Assert.Equal(0, _test.Run(["config", "show", "--recipe", "fashion-quick", .. options.Split(' ')]));
        Assert.Contains(expected, _test.Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--RA_start 3", "start: 3 ", "note: --RA_start is --rpat-start here")]
    [InlineData("--RA_ip_rate 0.3", "alpha: 0.7 ", "note: --RA_ip_rate is --rpat-rate here, which counts from the clean image: 1 - 0.3")]
    [InlineData("--lam 0.5", "weight: 0.5 ", "note: --lam is --rpat-weight here")]
    [InlineData("--pgd-alpha 2/255", "step: 2/255 ", "note: --pgd-alpha is --step-size here")]
    [InlineData("--method trades --RA --beta 5", "beta: 5 ", "note: --beta is --set method.beta= here")]
    public void TheOfficialCodesNamesWork(string options, string expected, string note)
    {
        Assert.Equal(0, _test.Run(["config", "show", "--recipe", "fashion-quick", .. options.Split(' ')]));
        Assert.Contains(expected, _test.Out, StringComparison.Ordinal);
        Assert.Contains(note, _test.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--rpat --no-rpat", "contradict each other")]
    [InlineData("--method clean --rpat", "method.name is 'clean+rpat' (--rpat)")]
    [InlineData("--epsilon 8", "attack.eps is '8' (--epsilon): images lie in [0,1], so write 8/255")]
    [InlineData("--log-level loud", "loud")]
    public void WhatMakesNoSenseIsAUsageError(string options, string expected)
    {
        Assert.Equal(2, _test.Run(["config", "show", "--recipe", "fashion-quick", .. options.Split(' ')]));
        Assert.Contains(expected, _test.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void OneBatchCanBeLearnedByHeart()
    {
        Train("--overfit-batch", "--method", "clean", "--epochs", "60", "--lr", "0.05", "--set", "eval.attacks=clean");
        Assert.Contains("100.00\n  on 4 held-out images", _test.Out, StringComparison.Ordinal);
        Assert.Contains("the same 4 images", _test.Error, StringComparison.Ordinal);
        foreach (string file in new[] { "warnings.txt", "report.html" })
            Assert.Contains("the same 4 images", File.ReadAllText(_test.PathOf($"runs/latest/{file}")), StringComparison.Ordinal);
    }

    [Fact]
    public void QuietSaysNothingAndVerboseEveryStep()
    {
        Train("--max-steps", "4", "-q");
        Assert.Empty(_test.Error);
        Train("--max-steps", "4", "-v", "--progress", "plain");
        Assert.Equal(4, _test.Error.Split('\n').Count(line => line.StartsWith("phase=train", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("--log-level debug", true)]
    [InlineData("", false)]
    public void DetailsOfAnErrorAreThereForWhoeverAsks(string options, bool expected)
    {
        Assert.Equal(2, _test.Run(["train", "--resume", "nothing", .. options.Split(' ', StringSplitOptions.RemoveEmptyEntries)]));
        Assert.Equal(expected, _test.Error.Contains("   at Rpat.", StringComparison.Ordinal));
    }

    [Fact]
    public void AccuraciesAreCalledByTheImagesTheyAreOf()
    {
        Assert.Equal("epoch,lr,loss,ce,clean_acc", Columns("clean"));
        Assert.EndsWith(",noise_acc", Columns("noise"), StringComparison.Ordinal);
        Assert.EndsWith(",adv_acc", Columns("pgd-at"), StringComparison.Ordinal);
        Assert.EndsWith(",clean_acc,adv_acc", Columns("trades"), StringComparison.Ordinal);
    }

    private string Columns(string method)
    {
        Train("--method", method, "--epochs", "1", "--name", method);
        string run = RunFiles.Runs(_test, "runs").Single(folder => folder.EndsWith("-" + method, StringComparison.Ordinal));
        return File.ReadLines(Path.Combine(run, "metrics.csv")).First().Split(",test_")[0];
    }

    private void Train(params string[] more) =>
        Assert.True(_test.Run([.. TinyRun.Arguments(_test), "--out", _test.PathOf("runs"), .. more]) == 0, _test.Error);
}
