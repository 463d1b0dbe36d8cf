using Rpat.Tests.Trainer.Runs;
using Rpat.Tests.Trainer.Training;

namespace Rpat.Tests.Trainer.Cli;

/// <summary><c>rpat sweep</c> and what becomes of its runs: lists, groups and tables.</summary>
public sealed class SweepCommandTests : IDisposable
{
    private readonly TestHost _test = new();

    public void Dispose() => _test.Dispose();

    [Fact]
    public void AMethodWithoutTheTermIsTrainedOncePerSeed()
    {
        string[] lines = Run("sweep", "fashion-quick", "--method", "pgd-at,pgd-at+rpat", "--rpat-weight", "1,10", "--seeds", "1,2",
            "--list")
            .TrimEnd().Split('\n');
        Assert.Equal(["1", "2", "3", "4", "5", "6"], lines[1..].Select(line => line.Split(' ')[0]));
        Assert.Equal(2, lines.Count(line => line.Contains(" pgd-at ", StringComparison.Ordinal)));
    }

    [Fact]
    public void ATermOfWeightZeroIsTheMethodWithoutIt()
    {
        string[] lines = Run("sweep", "fashion-quick", "--method", "pgd-at,pgd-at+rpat", "--rpat-weight", "0,1", "--seeds", "1", "--list")
            .TrimEnd().Split('\n');
        Assert.Equal(["fashion-quick-pgd-at-s1", "fashion-quick-pgd-at+rpat-weight1-s1"], lines[1..].Select(line => line.Split(' ')[^1]));
    }

    // What is given beside the lists is in the names, but for what affects no weight.
    [Theory]
    [InlineData("", "fashion-quick-weight1-s1")]
    [InlineData("--epochs 4 --threads 2 --set log.progress=none", "fashion-quick-weight1-s1")]
    [InlineData("--epochs 7", "fashion-quick-weight1-epochs7-s1")]
    [InlineData("--method trades+rpat --set method.beta=3", "fashion-quick-trades+rpat-weight1-beta3-s1")]
    [InlineData("--method pgd-at --rpat", "fashion-quick-weight1-s1")]
    [InlineData("--max-steps 9", "fashion-quick-weight1-max_steps9-s1")]
    [InlineData("--name mine --data cifar10", "mine-weight1-cifar10-s1")]
    public void TwoSweepsOfOtherSettingsShareNoName(string more, string name)
    {
        string[] line = ["sweep", "fashion-quick", "--rpat-weight", "1,10", "--list", .. more.Split(' ', StringSplitOptions.RemoveEmptyEntries)];
        Assert.Equal(name, Run(line).TrimEnd().Split('\n')[1].Split(' ')[^1]);
    }

    [Fact]
    public void ASweepOfAFileHasItsValuesInItsNamesAndRunsOfEarlierVersionsKeepTheirs()
    {
        string file = _test.Write("mine.yaml", "recipe:\n  name: fashion-quick\nmodel:\n  width: 8\n");
        string[] line = ["sweep", "-c", file, "--rpat-weight", "0,1", "--out", _test.PathOf("runs"), "--list"];
        Assert.Contains(" fashion-quick-weight1-width8-s1\n", Run(line), StringComparison.Ordinal);
        MadeRun.Finished(_test, "fashion-quick-weight1-s1");
        Assert.Contains(" fashion-quick-weight1-width8-s1\n", Run(line), StringComparison.Ordinal);
        MadeRun.Finished(_test, "fashion-quick-weight1-s1", "model.width=8", "method.rpat.weight=1");
        string rows = Run(line);
        Assert.Matches(@"\n1 +0 +1 +- +fashion-quick-weight0-width8-s1\n2 +1 +1 +finished +fashion-quick-weight1-s1\n", rows);
    }

    // A command within a command redraws its line as one alone does.
    [Fact]
    public void ATerminalShowsTheLiveLineOfEachRun()
    {
        string[] line = [.. Arguments, "--index", "1", "--progress", "live"];
        Assert.Equal(0, Rpat.Trainer.Cli.App.Run(line, _test.Host with { ErrorIsTerminal = true }));
        Assert.Contains("\r\u001b[K", _test.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("\\u00", _test.Error, StringComparison.Ordinal);
        Assert.Contains("1 of 4 runs are finished; compare them:", _test.Error, StringComparison.Ordinal);
        Assert.Contains("rpat runs list --group-by method.rpat.weight", _test.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("try next", _test.Out, StringComparison.Ordinal);
        string run = RunFiles.Runs(_test, "runs").Single(), record = File.ReadAllText(Path.Combine(run, "run.json"));
        Assert.Contains("\"memory_mib\": ", record, StringComparison.Ordinal);
        Assert.StartsWith("    Clean ", Run("train", "--resume", Path.GetFileName(run), "--out", _test.PathOf("runs")),
            StringComparison.Ordinal);
        Assert.Contains("is finished, and no setting differs: nothing is left to train", _test.Error, StringComparison.Ordinal);
        Assert.Equal(record, File.ReadAllText(Path.Combine(run, "run.json")));
        File.WriteAllText(Path.Combine(run, "run.json"), record.Replace("memory_mib", "memory_mi_b", StringComparison.Ordinal));
        Assert.NotEqual(0, RunRecord.Read(run)!.Machine.MemoryMib);
    }

    [Fact]
    public void EveryRowIsTrainedOnceAndWhatWasBegunIsResumed()
    {
        string[] rows = Sweep("--list").TrimEnd().Split('\n');
        Assert.Equal(5, rows.Length);
        Assert.Matches(@"^index +method\.rpat\.weight +seed +status +name$", rows[0]);
        Assert.Matches(@"^2 +10 +1 +- +fashion-quick-tiny-weight10-width4-steps1-lr0.01-batch4-max_steps1-s1$", rows[2]);
        Assert.Matches(@"^3 +0 +2 +- +fashion-quick-tiny-weight0-width4-steps1-lr0.01-batch4-max_steps1-s2$", rows[3]);
        Sweep("--index", "2");
        Assert.Single(RunFiles.Runs(_test, "runs"));
        Assert.Contains("10                  1     finished", Sweep("--list"), StringComparison.Ordinal);
        Unfinish(RunFiles.Runs(_test, "runs").Single());
        Assert.Contains("10                  1     interrupted", Sweep("--list"), StringComparison.Ordinal);
        Sweep();
        Assert.Equal(4, RunFiles.Runs(_test, "runs").Count);
        int said = _test.Error.Length;
        Sweep();
        Assert.Equal(4, RunFiles.Runs(_test, "runs").Count);
        Assert.Equal(4, _test.Error[said..].Split("finished earlier").Length - 1);
        Assert.Contains("\"resumes\"", File.ReadAllText(Path.Combine(RunFiles.Runs(_test, "runs").Single(run => run.Contains("-weight10-",
            StringComparison.Ordinal) && run.EndsWith("-s1", StringComparison.Ordinal)), "run.json")), StringComparison.Ordinal);
        Tables();
    }

    // Another configuration is another run, although the name is the same.
    [Fact]
    public void WhatWasTrainedOtherwiseIsNotTakenForDone()
    {
        Sweep("--index", "1");
        Sweep("--index", "1", "--lr", "0.02");
        Assert.Equal(2, RunFiles.Runs(_test, "runs").Count);
        string[] longer = Arguments;
        longer[Array.IndexOf(longer, "--max-steps") + 1] = "2";
        Assert.Contains(" -  ", Run([.. longer, "--list"]).Split('\n')[1], StringComparison.Ordinal);
    }

    [Fact]
    public void AfterTheLastRowNoOthersGoOn()
    {
        var sources = new ConfigSources([], new Dictionary<string, string>(), ["recipe=fashion-quick", $"run.out={_test.Folder}"], []);
        var rows = Rpat.Trainer.Reproduce.Sweep.Rows("x", [], [], [1, 2]);
        Assert.Equal(5, new Rpat.Trainer.Reproduce.Sweep(rows, sources, _test.Host, (_, _) => 5) { UsualRoot = _test.Folder }.Run(rows));
        Assert.Contains("[1/2] x-s1: failed, and the others go on\n", _test.Error, StringComparison.Ordinal);
        Assert.Contains("[2/2] x-s2: failed\n", _test.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--index 5", "--index is 5, and the sweep has 4 rows: give 1 to 4.")]
    [InlineData("--index 0", "give 1 to 4")]
    [InlineData("--seed 3,4", "a sweep takes its seeds from --seeds, not from --seed: give --seeds 3,4.")]
    [InlineData("--set optimizer.lr=0.1,fast", "optimizer.lr is 'fast'")]
    [InlineData("--set optimizer.lrr=0.1,0.2", "did you mean 'optimizer.lr'?")]
    [InlineData("--seeds 3..1", "--seeds is '3..1': give whole numbers such as 1,2,3 or 1..3, the lower one first.")]
    [InlineData("--seeds x", "give whole numbers")]
    [InlineData("--method adaad --set method.teachers.robust=runs/latest/best.safetensors", "name the run.")]
    [InlineData("--method adaad --set method.teachers.robust=latest",
        "method.teachers.robust is 'latest', which is another run after each of a sweep: name the run.")]
    [InlineData("--seeds 0..99999999999", "give whole numbers")]
    public void AWrongSweepIsOneSentence(string options, string sentence)
    {
        string[] line = options.StartsWith("--seeds", StringComparison.Ordinal) ? Arguments[..^2] : Arguments;
        Assert.Equal(2, _test.Run([.. line, .. options.Split(' ')]));
        Assert.Contains(sentence, Assert.Single(_test.Error.TrimEnd().Split('\n')), StringComparison.Ordinal);
        Assert.Empty(RunFiles.Runs(_test, "runs"));
    }

    [Fact]
    public void ASweepUnderMpirunIsRefusedInOneSentence()
    {
        using var test = new TestHost(("OMPI_COMM_WORLD_RANK", "0"), ("OMPI_COMM_WORLD_SIZE", "2"), ("OMPI_COMM_WORLD_LOCAL_RANK", "0"),
            ("OMPI_COMM_WORLD_LOCAL_SIZE", "2"));
        Assert.Equal(2, test.Run("sweep", "fashion-quick", "--seeds", "1..2", "--out", test.PathOf("runs")));
        Assert.Contains("has started several trainings, and MPI begins only once in a process: train one row by --index", test.Error,
            StringComparison.Ordinal);
        Assert.Equal(2, test.Run("reproduce", "--scale", "quick", "--out", test.PathOf("reproduced")));
        Assert.Contains("train each recipe by itself", test.Error, StringComparison.Ordinal);
    }

    private void Tables()
    {
        string grouped = Run("runs", "list", "--columns", "train.seed", "--group-by", "method,method.rpat.weight");
        Assert.Matches(@"\npgd-at\+rpat  0 +2 +1, 2 +\d+\.\d\d ± \d+\.\d\d ", grouped);
        Assert.Matches(@"\npgd-at\+rpat  10 +2 +1, 2 +\d+\.\d\d ± \d+\.\d\d ", grouped);
        Assert.Matches(@"^\| Run .*\| method\.rpat\.weight \| train\.seed \|",
            Run("runs", "list", "--columns", "method.rpat.weight,train.seed", "--format", "markdown"));
        string csv = Run("runs", "list", "--group-by", "method", "--format", "csv");
        Assert.StartsWith("method,Runs,Clean,Clean sd,Robust,Robust sd,Mean,Mean sd,NRR,NRR sd,Attack,Threat,Images\npgd-at+rpat,4,", csv,
            StringComparison.Ordinal);
        using var json = JsonDocument.Parse(Run("runs", "list", "--group-by", "method", "--json"));
        Assert.Equal(4, json.RootElement[0].GetProperty("runs").GetArrayLength());
        Assert.StartsWith("\\begin{tabular}{", Run("runs", "list", "--format", "latex"), StringComparison.Ordinal);
        string[] runs = [.. RunFiles.Runs(_test, "runs")];
        string latex = Run(["report", .. runs, "--latex"]);
        Assert.Matches(@"\nMethod +& Runs & +Clean & +PGD-2 & +Mean & +NRR \\\\\n", latex);
        foreach (string weight in (string[])["0", "10"])
            Assert.Matches($@"\nPGD-AT \+ RPAT, weight {weight} +& +2 +& +\d+\.\d\d \$\\pm\$", latex);
        Assert.Contains("seeds 1, 2;", latex, StringComparison.Ordinal);
        Assert.Contains("averages runs that differ in method.rpat.weight: add it to --group-by", _test.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("counts once", _test.Error, StringComparison.Ordinal);
        Copy(runs[0], runs[0] + "-copy");
        Assert.Equal(latex, Run(["report", .. runs, runs[0] + "-copy", runs[0], "--latex"]));
        Assert.Matches("'(.*)-copy' counts once with '\\1'|'(.*)' counts once with '\\2-copy'", _test.Error);
        Directory.Delete(runs[0] + "-copy", recursive: true);
        Assert.Equal(0, _test.Run(["report", .. runs, "--csv", "-o", _test.PathOf("table.csv")]));
        Assert.StartsWith("Method,Runs,Clean,Clean sd,PGD-2,PGD-2 sd,", File.ReadAllText(_test.PathOf("table.csv")),
            StringComparison.Ordinal);
        Assert.Equal(2, _test.Run(["report", runs[0], "--csv", "--latex"]));
        Assert.Equal(2, _test.Run("runs", "list", "--columns", "train.sede"));
        Assert.Contains("did you mean 'train.seed'?", _test.Error, StringComparison.Ordinal);
    }

    private string[] Arguments =>
        ["sweep", .. TinyRun.Arguments(_test)[1..], "--max-steps", "1", "--set", "method.rpat.weight=0,10", "--seeds", "1..2"];

    private string Sweep(params string[] more) => Run([.. Arguments, .. more]);

    private string Run(params string[] arguments)
    {
        int said = _test.Out.Length;
        Assert.True(_test.Run(arguments) == 0, _test.Error);
        return _test.Out[said..];
    }

    private static void Copy(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (string file in Directory.GetFiles(from)) File.Copy(file, Path.Combine(to, Path.GetFileName(file)));
    }

    private static void Unfinish(string run)
    {
        string path = Path.Combine(run, "run.json");
        File.WriteAllText(path, File.ReadAllText(path).Replace("\"finished\"", "\"interrupted\"", StringComparison.Ordinal));
    }
}
