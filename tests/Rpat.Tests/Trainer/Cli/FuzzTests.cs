using Rpat.Tests.Support;
using Rpat.Tests.Trainer.Training;

namespace Rpat.Tests.Trainer.Cli;

/// <summary>
/// Command lines, environments, configurations and run folders from a seed: whatever they are, no input is an internal error. How many are
/// tried is <c>RPAT_MUTANTS</c>, or what fits a run of all tests.
/// </summary>
public sealed class FuzzTests : IDisposable
{
    private static readonly string[] _values =
    [
        "", " ", "-", "--", "-1", "0", "1", "3", "NaN", "1e999", "99999999999999999999", "8/255", "8/0", "auto", "true", "[a, b]", "a,b",
        ",", "..", "/", "/dev/null", "/dev/zero", "~",
        "\0", "\u001b[2J", "\ud800", "{0}", "'", "\"", "=", "@", "@@", "@x", "latest", "fashion-quick", "linf", "cpu", new('a', 300),
        new('/', 5000), "npz:", "folder:", "npz:/dev/zero", "a:b:c", "%s%n",
    ];

    // None of these trains, measures or writes outside the test's folder.
    private static readonly string[] _verbs =
    [
        "config show", "config check", "config schema", "recipes", "recipes show", "recipes diff", "runs list", "runs show",
        "runs compare", "runs clean --dry-run", "methods", "methods show", "models",
        "attacks", "completion", "import", "data list", "data verify --data-dir /dev/null", "sweep --list", "eval verify",
        "train --dry-run --data-dir /dev/null", "",
    ];

    private static readonly string[] _options =
    [
        "--set", "-c", "--recipe", "--dataset", "--eps", "--norm", "--method", "--model", "--lr", "--schedule", "--seed", "--threads",
        "--device", "--name", "--runs", "--log-level", "-q", "-v", "--no-color",
        "--rpat", "--no-rpat", "--json=-", "--val-split", "--augment", "--epochs", "--batch-size", "--help", "--version", "--unknown", "-z",
    ];

    private static readonly string[] _variables =
    [
        "RPAT_DATA", "RPAT_RUNS", "RPAT__TRAIN__EPOCHS", "RPAT__ATTACK__EPS", "RPAT__METHOD", "RPAT__", "RPAT__X__Y", "rpat__train__seed",
        "RPAT__EVAL__ATTACKS", "WORLD_SIZE", "RANK", "LOCAL_RANK", "LOCAL_WORLD_SIZE",
        "MASTER_ADDR", "MASTER_PORT", "SLURM_PROCID", "SLURM_NTASKS", "SLURM_NODELIST", "SLURM_JOB_NODELIST", "SLURM_LOCALID",
        "SLURM_JOB_ID", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK", "PMI_SIZE", "PMI_RANK", "CI", "NO_COLOR", "TERM",
    ];

    private readonly TestHost _test = new();

    public void Dispose() => _test.Dispose();

    [Fact]
    public void CommandLines()
    {
        var random = new System.Random(1);
        for (int i = 0; i < Mutants.Count(150); i++)
        {
            List<string> line = [.. Pick(random, _verbs).Split(' ', StringSplitOptions.RemoveEmptyEntries)];
            for (int n = random.Next(5); n > 0; n--)
                line.Add(random.Next(3) == 0 ? Pick(random, _options) : random.Next(4) == 0 ? Setting(random) : Pick(random, _values));
            Expect([.. line]);
        }
    }

    [Fact]
    public void Environments()
    {
        var random = new System.Random(2);
        for (int i = 0; i < Mutants.Count(100); i++)
        {
            var variables = Enumerable.Range(0, random.Next(1, 4))
                .Select(_ => (Pick(random, _variables), Pick(random, _values).Replace("\0", ""))).DistinctBy(pair => pair.Item1);
            string[] verb = random.Next(2) == 0 ? ["config", "show", "--recipe", "fashion-quick"] : ["train", "--recipe", "none"];
            ExpectIn([.. variables], verb);
        }
    }

    [Fact]
    public void Configurations()
    {
        Assert.Equal(0, _test.Run("config", "show", "--recipe", "fashion-quick"));
        byte[] whole = Encoding.UTF8.GetBytes(_test.Out);
        var random = new System.Random(3);
        for (int i = 0; i < Mutants.Count(60); i++)
        {
            File.WriteAllBytes(_test.PathOf("a.yaml"), Mutants.Of(whole, random));
            Expect("config", "check", _test.PathOf("a.yaml"));
        }
    }

    [Fact]
    public void RunFolders()
    {
        Assert.Equal(0, _test.Run([.. TinyRun.Arguments(_test), "--max-steps", "2", "--out", _test.PathOf("runs"), "--name", "a"]));
        string run = RunFiles.Runs(_test, "runs").Single();
        Assert.True(_test.Run("eval", run, "--attacks", "pgd1", "--n", "4") == 0, _test.Error);
        Assert.True(_test.Run("perception", run, "--n", "6") == 0, _test.Error);
        foreach (string file in Directory.GetFiles(run, "*", SearchOption.AllDirectories)
            .Where(file => !file.EndsWith(".safetensors", StringComparison.Ordinal)))
        {
            byte[] whole = File.ReadAllBytes(file);
            foreach (byte[] mutant in Damaged(whole, Mutants.Count(1), new System.Random(whole.Length)))
            {
                File.WriteAllBytes(file, mutant);
                Look(run);
            }

            Replace(file, () => Directory.CreateDirectory(file), () => Directory.Delete(file), run);
            Replace(file, () => File.CreateSymbolicLink(file, "/dev/zero"), () => File.Delete(file), run);
            File.WriteAllBytes(file, whole);
        }

        Assert.Equal(0, _test.Run("runs", "show", run));
    }

    [Fact]
    public void ResumedRuns()
    {
        Assert.Equal(0, _test.Run([.. TinyRun.Arguments(_test), "--max-steps", "2", "--out", _test.PathOf("runs"), "--name", "a"]));
        string run = RunFiles.Runs(_test, "runs").Single();
        foreach (string name in (string[])["run.json", "config.yaml", "metrics.jsonl", "result.json", "warnings.txt", "metrics.csv",
            "tb/events.out.tfevents.0000000000.rpat"])
        {
            string file = Path.Combine(run, name);
            byte[] whole = File.Exists(file) ? File.ReadAllBytes(file) : "x\n"u8.ToArray();
            foreach (byte[] mutant in Damaged(whole, Mutants.Count(1), new System.Random(name.Length)))
            {
                File.WriteAllBytes(file, mutant);
                Expect("train", "--resume", run, "--set", "log.progress=none");
            }

            File.WriteAllBytes(file, whole);
        }
    }

    private void Look(string run)
    {
        Expect("runs", "list", "--runs", _test.PathOf("runs"), "--json");
        Expect("runs", "clean", "--dry-run", "--checkpoints", "--runs", _test.PathOf("runs"));
        Expect("report", run, "-o", _test.PathOf("page.html"));
    }

    private void Replace(string file, Action put, Action remove, string run)
    {
        File.Delete(file);
        put();
        Look(run);
        remove();
    }

    private static IEnumerable<byte[]> Damaged(byte[] whole, int count, System.Random random) =>
        Enumerable.Range(0, count).Select(_ => Mutants.Of(whole, random))
        .Concat([[], new byte[whole.Length], .. (byte[][])["[null]"u8.ToArray(), "{}"u8.ToArray()]]);

    private static string Setting(System.Random random) =>
        $"{Pick(random, [.. ConfigKeys.All.Select(key => key.Path)])}={Pick(random, _values)}";

    private static T Pick<T>(System.Random random, IReadOnlyList<T> list) => list[random.Next(list.Count)];

    private static void Expect(params string[] arguments) => ExpectIn([], arguments);

    private static void ExpectIn((string, string)[] environment, params string[] arguments)
    {
        using var test = new TestHost(environment);
        int code = test.Run(arguments);
        Assert.True(code != 1, $"{string.Join(' ', environment)} rpat {string.Join(' ', arguments)}\n{test.Error}");
        Assert.True(code == 0 || test.Error.Length > 0, $"rpat {string.Join(' ', arguments)} ends with {code} and says nothing");
    }
}
