namespace Rpat.Tests.Trainer.Cli;

public sealed class BenchCommandTests : IDisposable
{
    private static readonly string[] _small =
        ["bench", "step", "--recipe", "fashion-quick", "--set", "model.width=4", "--batch-size", "8", "--attack-steps", "2", "--rounds",
        "2"];

    private readonly TestHost _test = new();

    public void Dispose() => _test.Dispose();

    [Fact]
    public void AnItemHasItsMedianAndItsProfile()
    {
        Assert.Equal(0, _test.Run([.. _small, "--items", "step", "--profile"]));
        Assert.Matches(@"step +[0-9.]+ images/s +[0-9.]+ ms a batch  \(median of 2, [0-9.]+–[0-9.]+ ms\)", _test.Out);
        Assert.Contains("forward  Conv2d 3x3/2 direct", _test.Out);
        Assert.Contains("backward Conv2d first 3x3 direct", _test.Out);
        Assert.Contains("forward  RpatLoss", _test.Out);
        Assert.Contains("outside of the tapes", _test.Out);
        Assert.Empty(_test.Error);
    }

    [Fact]
    public void AMethodOfTwoViewsIsTimed() => Assert.True(_test.Run([.. _small.Select(
        word => word == "fashion-quick" ? "fashion-consistency-at-quick" : word), "--items", "step"]) == 0, _test.Error);

    [Fact]
    public void SharesOfAProfileAddUpToTheWhole()
    {
        Assert.Equal(0, _test.Run([.. _small, "--items", "clean-step", "--profile"]));
        string kinds = _test.Out[_test.Out.IndexOf("by kind:", StringComparison.Ordinal).._test.Out.IndexOf("by size:",
            StringComparison.Ordinal)];
        double sum = kinds.Split('\n').Where(line => line.Contains('%'))
            .Sum(line => double.Parse(line[..line.IndexOf('%')], System.Globalization.CultureInfo.InvariantCulture));
        Assert.InRange(sum, 98, 102);
    }

    [Theory]
    [InlineData("--items", "stpe", "did you mean 'step'?")]
    [InlineData("--rounds", "0", "--rounds 0")]
    public void WrongOptionsAreOneSentence(string option, string value, string expected)
    {
        Assert.Equal(2, _test.Run("bench", "step", "--recipe", "fashion-quick", option, value));
        Assert.Contains(expected, _test.Error);
        Assert.Single(_test.Error.TrimEnd().Split('\n'));
    }

    [Theory]
    [InlineData("--precision", "fp16", "give fp32, tf32 or bf16")]
    [InlineData("--conv", "fft", "give auto or direct")]
    [InlineData("--batch-size", "0", "give 1 to 4096")]
    public void WrongOptionsOfTheTableAreOneSentence(string option, string value, string expected)
    {
        Assert.Equal(2, _test.Run("bench", "kernels", option, value));
        Assert.Contains(expected, _test.Error);
        Assert.Single(_test.Error.TrimEnd().Split('\n'));
    }

    [Fact]
    public void WhatGotSlowerThanItsBaselineIsASentenceAndExitCode7()
    {
        string file = _test.PathOf("base.json");
        string[] bench = [.. _small, "--items", "eval-forward"];
        Assert.Equal(0, _test.Run([.. bench, "--json", file]));
        using (var same = new TestHost())
        {
            Assert.Equal(0, same.Run([.. bench, "--baseline", file, "--fail-over", "1000000"]));
            Assert.Matches(@"x the baseline's time  eval-forward: \S+ ms \(median of 2, \S+–\S+\) against \S+ ms \(median of 2, ",
                same.Out);
            Assert.Empty(same.Error);
        }
        using var faster = new TestHost();
        Assert.Equal(7, faster.Run([.. bench, "--baseline", file, "--fail-over", "0.000001"]));
        Assert.Matches(
            @"^rpat: eval-forward takes \S+ times the baseline's time where at most 1E-06 is allowed \(--fail-over\): .* against .*\.\n$",
            faster.Error);
    }

    [Fact]
    public void ABaselineOfSomethingElseIsNoted()
    {
        string file =
            _test.Write("base.json",
            """{"what":"step","on":"other","machine":"other","version":"0","rows":[{"name":"gone","category":"step","seconds":[1]}]}""");
        Assert.Equal(0, _test.Run([.. _small, "--items", "eval-forward", "--baseline", file]));
        Assert.Contains("note: the baseline was measured on another machine (other)", _test.Error);
        Assert.Contains("note: the baseline was measured on something else (other)", _test.Error);
        Assert.Contains("note: the baseline lacks eval-forward", _test.Error);
    }

    [Theory]
    [InlineData("{}", "is not a benchmark result")]
    [InlineData("{", "cannot be read as a baseline")]
    [InlineData("""{"what":"step","rows":[{"name":"x","seconds":[]}]}""", "is not a benchmark result")]
    [InlineData("""{"what":"data","rows":[]}""", "holds a result of 'rpat bench data'")]
    public void ABaselineThatIsNoneIsOneSentence(string text, string expected)
    {
        Assert.Equal(2, _test.Run([.. _small, "--baseline", _test.Write("base.json", text)]));
        Assert.Contains(expected, Assert.Single(_test.Error.TrimEnd().Split('\n')));
    }

    [Theory]
    [InlineData("--fail-over", "1.25", "give --baseline FILE too")]
    [InlineData("--fail-over", "fast", "where a ratio is wanted")]
    [InlineData("--filter", "*fft*", "leave nothing to time")]
    [InlineData("--category", "cnov", "did you mean 'conv'?")]
    public void WrongOptionsOfAComparisonAreOneSentence(string option, string value, string expected)
    {
        Assert.Equal(2, _test.Run("bench", "kernels", "--batch-size", "1", "--time", "0", "--rounds", "1", option, value));
        Assert.Contains(expected, Assert.Single(_test.Error.TrimEnd().Split('\n')));
    }

    [Fact]
    public void KernelsAreChosenByNameAndCategoryAndKeptInThreeForms()
    {
        string folder = _test.PathOf("artifacts");
        Assert.Equal(0, _test.Run("bench", "kernels", "--batch-size", "1", "--time", "0", "--rounds", "3", "--filter", "*Conv*512*",
            "--filter", "linear*", "--category", "conv,gemm", "--artifacts", folder));
        Assert.DoesNotContain("batch norm", _test.Out);
        string[] rows = File.ReadAllLines(Path.Combine(folder, "bench-kernels.csv"));
        Assert.Equal("name,category,n,median_s,min_s,max_s,images_per_s,gflops,gbytes_per_s", rows[0]);
        Assert.All(rows.Skip(1), row => Assert.Matches(@",(conv|gemm),3,", row));
        Assert.Contains(rows, row => row.Contains(",gemm,", StringComparison.Ordinal));
        Assert.Equal(rows.Length + 1, File.ReadAllLines(Path.Combine(folder, "bench-kernels.md")).Length);
        Assert.Equal(rows.Length - 1, Rpat.Trainer.Bench.BenchResult.Read(Path.Combine(folder, "bench-kernels.json"),
            "kernels").Rows.Count);
    }

    [Fact]
    public void KernelsAreListedAndFoundByTheNameOfTheirOp()
    {
        Assert.Equal(0, _test.Run("bench", "kernels", "--list", "--filter", "*lerp*"));
        Assert.Matches(@"^kernel +op +category\ninterpolation +Lerp +\w+\n", _test.Out);
        Assert.Equal(0, _test.Run("bench", "kernels", "--list", "--filter", "*fft*,*lerp*"));
        Assert.Equal(0, _test.Run("bench", "kernels", "--list", "--filter", "copy*"));
        Assert.Contains("copy of 256 MiB, driver", _test.Out, StringComparison.Ordinal);
        Assert.Equal(2, _test.Run("bench", "kernels", "--list", "--filter", "*fft*"));
        Assert.Contains("leave nothing to time", _test.Error, StringComparison.Ordinal);
        Assert.Equal(0, _test.Run("bench", "kernels", "--batch-size", "1", "--time", "0", "--rounds", "1", "--filter", "*Lerp*"));
        Assert.Matches(@"\ninterpolation +\d", _test.Out);
        int said = _test.Out.Length;
        Assert.Equal(2, _test.Run("bench", "kernels", "--batch-size", "1", "--filter", "*fft*"));
        Assert.Contains("'rpat bench kernels --list'", _test.Error, StringComparison.Ordinal);
        Assert.Equal(said, _test.Out.Length);
    }

    [Fact]
    public void TheJsonAloneIsOnStdout()
    {
        string data = "npz:" + Training.TinyRun.Write(_test.PathOf("tiny.npz"));
        Assert.Equal(0, _test.Run("bench", "data", "--recipe", "fashion-quick", "--data", data, "--rounds", "1", "--filter", "open",
            "--json"));
        Assert.Equal("open", JsonDocument.Parse(_test.Out).RootElement.GetProperty("rows")[0].GetProperty("name").GetString());
        Assert.Contains("images/s", _test.Error);
        using var list = new TestHost();
        Assert.Equal(0, list.Run("bench", "kernels", "--list", "--json", "--filter", "*lerp*"));
        Assert.Equal("Lerp", JsonDocument.Parse(list.Out).RootElement[0].GetProperty("op").GetString());
    }

    [Theory]
    [InlineData("--gbit is for --project: give that too, or leave it out.", "comm", "--gbit", "10")]
    [InlineData("--json does not go with --project: leave one out.", "comm", "--project", "--json")]
    [InlineData("a command is missing: give kernels, step, data, ptx, comm (see 'rpat bench --help')")]
    public void WhatCannotMatterIsRefused(string sentence, params string[] arguments)
    {
        Assert.Equal(2, _test.Run(["bench", .. arguments]));
        Assert.Equal($"rpat: {sentence}\n", _test.Error);
    }

    [Fact]
    public void DataIsTimedWithEachAugmentation()
    {
        string data = Training.TinyRun.Write(_test.PathOf("tiny.npz"));
        Assert.Equal(0, _test.Run("bench", "data", "--recipe", "fashion-quick", "--data", "npz:" + data, "--rounds", "2", "--filter",
            "*CUTMIX", "--filter", "open"));
        string[] lines = _test.Out.TrimEnd().Split('\n');
        Assert.Contains("24 training images of 1x8x8", lines[0]);
        Assert.Equal(3, lines.Length);
        Assert.All(lines.Skip(1), line => Assert.Matches(
            @"^(open|batches, [\w, ]+) +[0-9.]+ images/s +[0-9.]+ ms for all  \(median of 2, [0-9.]+–[0-9.]+ ms\)$", line));
    }
}
