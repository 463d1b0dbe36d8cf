namespace Rpat.Tests.Trainer.Training;

/// <summary>Variants of methods train from the command line, on a net of width 4 and three steps; <see cref="MethodResumeTests"/> trains
/// every method.</summary>
public sealed class MethodRunTests : IDisposable
{
    private readonly TestHost _test = new();

    public void Dispose() => _test.Dispose();

    [Fact]
    public void CutMixTrainsWithMixedLabels()
    {
        Assert.Equal(0, Run("rpat++", ["--set", "data.augment.cutmix=1", "--set", "method.start=1"]));
        Assert.Equal(0, Run("pgd-at", ["--set", "data.augment.cutmix=1"]));
    }

    [Fact]
    public void GeneratedImagesSmoothLabelsMixupAndAWarmAverageGoTogether()
    {
        string more = _test.PathOf("more.npz");
        Npz.Write(more, [new NamedArray("image", ElementType.U8, [50, 8, 8, 1], new byte[50 * 8 * 8]),
            NamedArray.FromInt64("label", [.. Enumerable.Range(0, 50).Select(i => (long)i % 3)], 50)], compress: false);
        string[] aux = ["--set", $"data.aux={more}", "--set", "data.aux_fraction=0.5", "--set", "train.label_smoothing=0.1",
            "--set", "data.augment.mixup=0.8", "--set", "average.ema=0.9", "--set", "average.warmup=updates"];
        Assert.Equal(0, Run("pgd-at+rpat", aux));
        Assert.Equal(2, Run("adr", ["--set", "data.augment.mixup=0.8"]));
        Assert.Contains("adr needs one true class for each image", _test.Error);
    }

    [Theory]
    [InlineData("trades+rpat", "method.awp.gamma=0.005,method.awp.start=1,average.ema=0.9,average.report=true,method.rpat.alpha=0.3")]
    [InlineData("mart+rpat", "method.awp.gamma=0.01,average.swa=1")]
    [InlineData("rebat", "method.log_clean=true,method.start=1,method.schedule=dependent,method.strong_eps=10/255,method.strong_from=1")]
    [InlineData("rpat++", "method.log_clean=true,method.start=1,method.schedule=piecewise")]
    [InlineData("wa+rpat", "method.log_clean=true,method.start=1")]
    [InlineData("awp", "method.log_clean=true")]
    [InlineData("trades", "method.sam.rho=0.05,attack.norm=l1,attack.eps=20/10,attack.step=0.5")]
    [InlineData("te+rpat", "method.base=trades,method.start=1,attack.norm=l2,attack.eps=1")]
    [InlineData("adr", "method.base=trades,method.gamma=0.005,method.report_average=true")]
    [InlineData("gairat", "method.rule=discrete,method.start=1")]
    [InlineData("ewat", "method.add_one=false,method.relative=false")]
    [InlineData("cure+rpat", "method.warmup=1,method.probability_fall=1")]
    [InlineData("cure", "method.warmup=1,method.code_form=true,train.batch=24")]
    [InlineData("mma", "attack.norm=l2,method.threshold=1,method.least=0.5,method.awp.gamma=0.01")]
    public void AVariantTrains(string method, string settings) =>
        Assert.Equal(0, Run(method, settings.Split(',').SelectMany(setting => new[] { "--set", setting })));

    [Fact]
    public void PerturbationAndAveragesGoOnTopOfAnyMethod() => Assert.Equal(0, Run(
        "trades+rpat", ["--set", "method.awp.gamma=0.01", "--ema", "0.9", "--set", "method.rpat.form=quotient"]));

    [Fact]
    public void EpochAveragesAreReportedWithTheirOwnStatistics() =>
        Assert.Equal(0, Run("pgd-at", ["--set", "average.swa=1", "--set", "train.epochs=1"]));

    [Theory]
    [InlineData("kd-swa", "learns from a clean teacher: give its run folder or weights as method.teachers.clean.")]
    [InlineData("cure", "cure starts from a network trained on clean images")]
    public void WhatAMethodNeedsIsSaid(string method, string message)
    {
        Assert.Equal(2, Run(method, []));
        Assert.Contains(message, _test.Error);
    }

    [Theory]
    [InlineData("adr", "data.augment.cutmix=1",
    "data.augment.cutmix is '1' (--set): adr needs one true class for each image: set it to 0, or choose another method.")]
    [InlineData("mart+rpat", "data.augment.cutmix=0.5", "mart needs one true class for each image")]
    [InlineData("rebat+rpat", "average.ema=0.9",
    "the loss of rebat looks at its own averaged network: set it to 0, and method.decay instead.")]
    [InlineData("cure", "average.swa=1", "the loss of cure looks at its own averaged network, which moves in each step: set it to 0.")]
    [InlineData("te", "data.augment.cutmix=1", "te needs one true class for each image")]
    [InlineData("cure", "data.augment.mixup=0.5", "cure needs one true class for each image")]
    [InlineData("trades-awp", "method.sam.rho=0.05", "method.sam.rho is '0.05' (--set): AWP moves the weights before the same pass")]
    [InlineData("gkl", "method.sam.rho=0.05", "AWP moves the weights before the same pass")]
    [InlineData("rpat++", "method.lambda=1", "method rpat++ has no setting 'lambda'")]
    public void WhatDoesNotGoTogetherIsSaidInOneSentence(string method, string setting, string message)
    {
        Assert.Equal(2, Run(method, ["--set", setting]));
        Assert.Contains(message, _test.Error);
    }

    [Theory]
    [InlineData("te", "",
    "warning: method.start is 90 (first epoch with the table, counted from 1), and the run has 1 epoch: all of it is plain adversarial "
        + "training, not te")]
    [InlineData("wa", "", "method.start is 106 ")]
    [InlineData("mail-at", "", "all of it is without weights, not mail-at")]
    [InlineData("cure", "method.warmup=4", "all of it is clean training, not cure")]
    [InlineData("pgd-at+rpat", "method.rpat.start=5", "all of it is without the perception term, not pgd-at+rpat")]
    [InlineData("pgd-at", "method.awp.gamma=0.01,method.awp.start=5", "all of it is without weight perturbation")]
    [InlineData("pgd-at", "average.swa=9", "average.swa is 9 ")]
    public void AMethodThatBeginsAfterTheRunsEndIsSaidAtItsStartAndInItsReport(string method, string settings, string warning)
    {
        string[] sets = [.. settings.Split(',', StringSplitOptions.RemoveEmptyEntries).SelectMany(setting => new[] { "--set", setting })];
        Assert.Equal(0, Run(method, sets));
        Assert.Contains(warning, _test.Error);
        Assert.Contains(warning.Split(" (")[0], File.ReadAllText(Path.Combine(RunOf(method), "report.html")));
    }

    [Fact]
    public void ADryRunSaysItTooAndAMethodThatBeginsInTimeSaysNothing()
    {
        Assert.Equal(0, Run("te", ["--dry-run"]));
        Assert.Contains("# warning: method.start is 90 ", _test.Out);
        Assert.Equal(0, Run("te", ["--dry-run", "--set", "method.start=1"]));
        Assert.Equal(1, _test.Out.Split("warning: ").Length - 1);
    }

    [Fact]
    public void ATeacherThatIsNotThereIsNamed()
    {
        Assert.Equal(2, Run("kd-swa", ["--set", "method.teachers.clean=nowhere"]));
        Assert.Contains("method.teachers.clean is 'nowhere', which is not there", _test.Error);
    }

    private string RunOf(string method) =>
        Directory.GetDirectories(_test.PathOf("runs"), $"*-{method.Replace('+', '-')}-run*").Order(StringComparer.Ordinal).Last();

    private int Run(string method, IEnumerable<string> more)
    {
        string[] common =
        [
            .. TinyRun.Arguments(_test), "--method", method, "--set", "eval.n=4", "--set", "eval.attacks=clean",
            "--set", "attack.steps=2", "--set", "train.batch=8", "--set", "train.max_steps=3", "--progress", "none",
            "--out", _test.PathOf("runs"), "--name", $"{method.Replace('+', '-')}-run",
        ];
        return _test.Run([.. common, .. more]);
    }
}
