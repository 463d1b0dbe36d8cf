using Rpat.Tests.Support;
using Rpat.Tests.Trainer.Training;
using Rpat.Trainer.Cli;
using Rpat.Trainer.Output;
using Rpat.Trainer.Report;
using Rpat.Trainer.Studies;

namespace Rpat.Tests.Trainer.Studies;

/// <summary>A study of two variants and three rows, on generated images.</summary>
public sealed class StudyTests : IDisposable
{
    private readonly TestHost _test = new();

    public StudyTests() => _test.Write("tiny.yaml", """
        tiny:
          about: "a study of a moment"
          strong: {attack: pgd3, images: 8}
          monitor: {attack: pgd2, images: 12}
          perception: {attack: pgd2, images: 12}
          values: {data.name: "npz:TINY", data.validation: 4, model.width: 4, attack.steps: 1, attack.eps: 20/255, train.batch: 4,
            train.epochs: 2, optimizer.lr: 0.01, eval.n: 4, eval.attacks: [clean], eval.monitor: pgd2}
          variants:
            - {name: base, recipe: fashion-pgd-at-quick, seeds: 2}
            - {name: term, recipe: fashion-quick, against: base, seeds: 1, values: {method.rpat.weight: 10, method.rpat.form: quotient}}
        """.Replace("TINY", TinyRun.Write(_test.PathOf("tiny.npz"))));

    private string Table => _test.PathOf("rows/tiny.csv");

    public void Dispose() => _test.Dispose();

    [Fact]
    public void RowsAreDoneOnceSeedBySeedAndAreTheSameWhenCheckedAndReported()
    {
        Assert.Equal(0, Run());
        var rows = new StudyFile(Table).Read();
        Assert.Equal(["base 1", "term 1", "base 2"], rows.Select(row => $"{row["variant"]} {row["seed"]}"));
        Assert.Equal("term base pgd-at+rpat quotient 10 20/255 2", string.Join(' ',
            new[] { "variant", "against", "method", "form", "lambda", "eps", "epochs" }.Select(column => rows[1][column])));
        Assert.All(rows, row => Assert.Equal([12, 12, 8], new[] { "clean", "pgd", "robust" }.Select(name => row.Outcomes[name].Length)));
        Assert.All(rows, row => Assert.Equal(row.Number("clean"), row.Outcomes["clean"].Average(right => right ? 1 : 0), 12));
        Assert.All(rows, row => Assert.Equal(2, row.Numbers("validation").Count));
        Assert.All(rows, row => Assert.Equal(12, row.Number("success_images") + row.Number("failure_images")));
        string before = File.ReadAllText(Table);
        Assert.Equal(0, Run());
        Assert.Equal(before, File.ReadAllText(Table));

        Assert.Equal(0, _test.Run("report", Table, "--out", _test.PathOf("page.html"), "--charts", _test.PathOf("charts")));
        Assert.Contains("Study tiny", File.ReadAllText(_test.PathOf("page.html")));
        Assert.Equal(5, Directory.GetFiles(_test.PathOf("charts"), "tiny-*.svg").Length);
        Assert.Equal(0, _test.Run("report", Table, "--markdown"));
        Assert.Matches(@"\| term +\| base +\| pgd3 +\| +8 \| +1 \| +[+−0]", _test.Out); // one seed is common
        Assert.Matches(@"\| base +\| failure +\| +2 \|", _test.Out);

        Assert.Equal(0, Run("--row", "2", "--check"));
        Assert.Contains($"the same bits again, weights {rows[1]["weights"]}", _test.Out);
        File.WriteAllText(Table, before.Replace(rows[1]["weights"], rows[0]["weights"]));
        Assert.Equal(8, Run("--row", "2", "--check"));
        Assert.Contains("row 2: other weights;", _test.Out);
        File.WriteAllText(Table, before);
        Assert.Equal(0, Run("--row", "2", "--check")); // which is done again, and not read from the one before
        Assert.Contains("the same bits again", _test.Out);
    }

    [Fact]
    public void TheMostRobustEpochIsMeasuredAndTheLastOneBesideIt()
    {
        // Epochs that are equally robust on the validation images: the first is kept.
        _test.Write("still.yaml", File.ReadAllText(_test.PathOf("tiny.yaml")).Replace("optimizer.lr: 0.01", "optimizer.lr: 1e-9"));
        var row = Study.Find(_test.PathOf("still.yaml")).Rows[0];
        var place = new StudyPlace(_test.PathOf("runs"), null, "cpu", 1);
        Assert.Equal(0, new StudyRun(place, new StudyFile(Table), _test.Host, App.Run).Run([row]));
        var (job, record) = (row.Job(place), new StudyFile(Table).Read().Single());
        Assert.Equal("1", record["best_epoch"]);
        string best = Path.Combine(job.Run!, "best.safetensors"), last = Path.Combine(job.Run!, "model.safetensors");
        Assert.NotEqual(StudyRecord.HashOf(best), StudyRecord.HashOf(last));
        Assert.Equal([EvalSubject.HashOf(best), EvalSubject.HashOf(best), EvalSubject.HashOf(last)],
            new[] { row.Monitor(job), row.Strong(job), row.Last(job) }.Select(one => EvaluationManifest.Read(one.Folder).ModelHash));
        Assert.Equal(StudyRecord.HashOf(last), record["weights"]);
        Assert.Equal(ImageOutcomes.OfEvaluation(row.Last(job).Folder).Single(pair => pair.Key.Column != ImageOutcomes.Clean).Value
            .Average(right => right ? 1 : 0), record.Number("last_pgd"));
        var known = new StudyRecord(record.Values.ToDictionary(pair => pair.Key,
            pair => pair.Key is "last_pgd" or "last_clean" ? "" : pair.Value), record.Outcomes);
        Assert.Empty(known.Differing(record)); // a table of before has no such columns
        Assert.Equal(["last_clean", "last_pgd"], record.Differing(known));
        Assert.Equal(["weights"], new StudyRecord(record.Values.ToDictionary(pair => pair.Key,
            pair => pair.Key == "weights" ? "" : pair.Value), record.Outcomes).Differing(record)); // nothing else may be missing
    }

    [Fact]
    public void AKilledRowIsResumedAndCountsOnce()
    {
        var study = Study.Find(_test.PathOf("tiny.yaml"));
        var done = new List<string>();
        var place = new StudyPlace(_test.PathOf("runs"), null, "cpu", 1);
        int Program(string[] arguments, CommandContext host)
        {
            done.Add(arguments[0]);
            return done.Count == 3 ? throw new IOException("killed") : App.Run(arguments, host);
        }
        StudyRun Begun() => new(place, new StudyFile(Table), _test.Host, Program);

        Assert.Throws<IOException>(() => Begun().Run([study.Rows[0]]));
        Assert.Empty(new StudyFile(Table).Read());
        Assert.Equal(0, Begun().Run([study.Rows[0]]));
        Assert.Equal(["train", "eval", "eval", "eval", "eval", "perception"], done); // the third was killed
        string whole = File.ReadAllText(Table), outcomes = File.ReadAllText(_test.PathOf("rows/tiny-outcomes.csv"));
        File.WriteAllText(Table, whole[..(whole.IndexOf('\n') + 1)]); // killed between the two files
        Assert.Equal(0, Begun().Run([study.Rows[0]]));
        Assert.Equal((whole, outcomes), (File.ReadAllText(Table), File.ReadAllText(_test.PathOf("rows/tiny-outcomes.csv"))));
        Assert.Equal(6, done.Count);
    }

    [Theory]
    [InlineData("name: term", "name: 'a, b'", "more than letters, digits")]
    [InlineData("name: term", "name: ..", "more than letters, digits")]
    [InlineData("name: term", "name: base", "two variants are called 'base'")]
    [InlineData("against: base", "against: bass", "'term' is compared with 'bass', which is no variant")]
    [InlineData("attack: pgd3", "attack: 'pgd3, pgd2'", "strong is 'pgd3, pgd2'")]
    public void NamesThatNoTableCanHoldAreRefused(string was, string now, string sentence)
    {
        string file = _test.Write("odd.yaml", File.ReadAllText(_test.PathOf("tiny.yaml")).Replace(was, now));
        Assert.Contains(sentence, Assert.Throws<UsageException>(() => Study.Find(file)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void WhatAnotherPlanHasTrainedIsNotTakenAndTheEnvironmentIsNoPart()
    {
        var place = new StudyPlace(_test.PathOf("runs"), null, "cpu", 1);
        StudyRun Run(string table) => new(place, new StudyFile(_test.PathOf(table)), _test.Host with
        { Environment = new Dictionary<string, string>(_test.Host.Environment) { ["RPAT__TRAIN__LABEL_SMOOTHING"] = "0.5" } }, App.Run);
        var row = Study.Find(_test.PathOf("tiny.yaml")).Rows[0];
        Assert.Equal(0, Run("one.csv").Run([row]));
        string config = File.ReadAllText(Path.Combine(row.Job(place).Run!, "config.yaml"));
        Assert.Contains("label_smoothing: 0 ", config, StringComparison.Ordinal);
        string changed = _test.Write("tiny2.yaml", File.ReadAllText(_test.PathOf("tiny.yaml")).Replace("train.epochs: 2", "train.epochs: 4"));
        Assert.Matches("holds a run of the settings [0-9a-f]+, and row 1 now has [0-9a-f]+: choose another --out",
            Assert.Throws<UsageException>(() => Run("two.csv").Run([Study.Find(changed).Rows[0]])).Message);
        Assert.False(File.Exists(_test.PathOf("two.csv")));
    }

    [Fact]
    public void ProcessesThatAddRowsAtOnceLoseNone()
    {
        Parallel.For(1, 13, row => new StudyFile(Table).Add(Blank(row)));
        var rows = new StudyFile(Table).Read();
        Assert.Equal(Enumerable.Range(1, 12), rows.Select(row => row.Row));
        Assert.All(rows, row => Assert.Equal(Enumerable.Range(0, 12).Select(i => i % (row.Row + 1) == 0), row.Outcomes["pgd"]));
        Assert.Equal(2, Directory.GetFiles(_test.PathOf("rows")).Length);
    }

    [FactWith(Need.Linux)]
    public void ATableThatCannotBeWrittenIsRefusedBeforeTheFirstRow()
    {
        var run = new StudyRun(new(_test.PathOf("runs"), null, "cpu", 1), new StudyFile("/proc/tiny.csv"), _test.Host,
            (_, _) => throw new InvalidOperationException("a row was begun"));
        Assert.Throws<IOException>(() => run.Run(Study.Find(_test.PathOf("tiny.yaml")).Rows));
    }

    [Fact]
    public void RowsOfOtherSettingsAreNotMixed()
    {
        var row = Study.Find(_test.PathOf("tiny.yaml")).Rows[0];
        new StudyFile(Table).Add(Blank(1));
        Assert.Equal(2, Run("--list"));
        Assert.Contains($"has the settings 00000000, and the study now {row.Settings(row.Job(new("", null, "cpu", 1)))}", _test.Error);
    }

    [Fact]
    public void ATableThatIsDamagedIsRefusedInOneSentence()
    {
        new StudyFile(Table).Add(Blank(1));
        string text = File.ReadAllText(Table), outcomes = _test.PathOf("rows/tiny-outcomes.csv");
        string[] head = text.Split('\n')[0].Split(','), cells = text.Split('\n')[1].Split(',');
        cells[Array.IndexOf(head, "alphas")] = "x";
        File.WriteAllText(Table, $"{string.Join(',', head)}\n{string.Join(',', cells)}\n");
        Refused("'alphas' of row 1 is 'x', which is no number");
        File.WriteAllText(Table, text);
        File.WriteAllText(outcomes, File.ReadAllLines(outcomes)[0] + "\n");
        Refused("row 1 has no outcome 'clean'");

        void Refused(string sentence)
        {
            using var host = new TestHost();
            Assert.Equal(3, host.Run("report", Table, "--markdown"));
            Assert.Contains(sentence, Assert.Single(host.Error.TrimEnd().Split('\n')));
        }
    }

    [Fact]
    public void TheLastEpochIsValidated()
    {
        _test.Write("tiny.yaml", File.ReadAllText(_test.PathOf("tiny.yaml")).Replace("train.epochs: 2", "train.epochs: 3, eval.every: 2"));
        Assert.Equal(2, Run());
        Assert.Contains("row 1 validates every 2 of 3 epochs: let eval.every of the study divide train.epochs.", _test.Error);
        Assert.False(File.Exists(Table));
    }

    [Theory]
    [InlineData("--study fashio", "did you mean 'fashion'?")]
    [InlineData("--study fashion --row 99", "the study has 37 rows")]
    [InlineData("--study fashion --check", "give --row N")]
    [InlineData("--study fashion --row 1 --check", "not in the table yet")]
    [InlineData("--study missing.yaml", "is no study")]
    [InlineData("--row 1", "--row is for a study")]
    [InlineData("--study fashion --seeds 1,2", "--seeds has no meaning for a study")]
    [InlineData("--norm l2", "--norm is for --scale paper")]
    [InlineData("--scale quick --data cifar10", "--data is for --scale paper")]
    public void WhatCannotBeIsRefused(string arguments, string sentence)
    {
        Assert.Equal(2, _test.Run(["reproduce", .. arguments.Split(' '), "--out", _test.PathOf("runs")]));
        Assert.Contains(sentence, _test.Error);
    }

    [Fact]
    public void EveryStudyOfTheProgramResolves()
    {
        foreach (string name in Study.Names.All())
        {
            var study = Study.Find(name);
            Assert.All(study.Rows, row => Assert.NotEmpty(row.Settings(row.Job(new("", null, "cpu", 1)))));
            Assert.All(study.Variants.Where(variant => variant.Against.Length > 0), variant =>
                Assert.Contains(study.Variants, other => other.Name == variant.Against));
        }
    }

    private static StudyRecord Blank(int row)
    {
        var values = StudyRecord.Columns.ToDictionary(column => column, _ => "");
        (values["row"], values["settings"]) = ($"{row}", "00000000");
        bool[] right = [.. Enumerable.Range(0, 12).Select(i => i % (row + 1) == 0)];
        return new(values, new[] { StudyRecord.Clean, StudyRecord.Pgd, StudyRecord.Robust }.ToDictionary(name => name, _ => right));
    }

    private int Run(params string[] arguments) =>
        _test.Run(["reproduce", "--study", _test.PathOf("tiny.yaml"), "--rows", Table, "--out", _test.PathOf("runs"), "--threads", "1",
            .. arguments]);
}
