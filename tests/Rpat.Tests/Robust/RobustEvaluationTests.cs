using Rpat.Tests.Robust.Attacks;

namespace Rpat.Tests.Robust;

/// <summary>The evaluation: ledger, resumption, verification, reuse between radii (attacks.md 5.3; P13, P14, P15).</summary>
public sealed class RobustEvaluationTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("rpat-eval-").FullName;
    private readonly Device _device = Device.Cpu(1);
    private readonly Fixture _m;

    public RobustEvaluationTests() => _m = Fixture.M(_device);

    public void Dispose()
    {
        _device.Dispose();
        Directory.Delete(_root, recursive: true);
    }

    [Fact]
    public void Whatever_moment_it_was_killed_at_a_resumed_evaluation_ends_the_same()
    {
        string whole = Evaluate("whole");
        byte[] journal = File.ReadAllBytes(Path.Combine(whole, "journal.jsonl"));
        Random random = new(1);
        for (int kill = 0; kill < 20; kill++)
        {
            // A killed process leaves some bytes of its journal, perhaps half a line, and images up to one further.
            string cut = Copy(whole, $"cut{kill}", ["ledger.jsonl", "result.json", "journal.jsonl"]);
            File.WriteAllBytes(Path.Combine(cut, "journal.jsonl"), journal[..random.Next(journal.Length)]);
            Evaluate(cut, resume: true);
            AssertSame(whole, cut);
        }
    }

    [Fact]
    public void A_resumed_evaluation_takes_over_what_its_journal_has()
    {
        const int many = 1_000_000;
        string cut = Copy(Evaluate("kept"), "taken-over", ["ledger.jsonl", "result.json"]), journal = Path.Combine(cut, "journal.jsonl");
        string[] lines = File.ReadAllLines(journal);
        int at = Array.FindIndex(lines, line => line.Contains("\"forwards\":1,", StringComparison.Ordinal));
        lines[at] = lines[at].Replace("\"forwards\":1,", $"\"forwards\":{many},", StringComparison.Ordinal);
        File.WriteAllLines(journal, lines[..(lines.Length / 2 + at)]);
        Evaluate(cut, resume: true);
        Assert.Single(Ledger.Read(cut), entry => entry.Forwards == many);
    }

    [Fact]
    public void Two_processes_do_not_write_one_evaluation()
    {
        string folder = Path.Combine(_root, "shared");
        var (first, said) = (Evaluation(folder), new List<string>());
        first.Progress = _ =>
        {
            if (said.Count == 0) said.Add(Assert.Throws<IOException>(() => Evaluation(folder).Run(resume: true)).Message);
        };
        first.Run(resume: false);
        Assert.Equal([$"another process writes into '{folder}': wait until it has ended."], said);
        AssertSame(Evaluate("alone"), folder);
    }

    [Fact]
    public void An_evaluation_that_throws_in_between_goes_on_where_it_was()
    {
        string whole = Evaluate("uncut"), broken = Path.Combine(_root, "broken");
        for (int ticks = 3; !File.Exists(Path.Combine(broken, "result.json")); ticks += 40)
        {
            int left = ticks;
            var evaluation = Evaluation(broken);
            evaluation.Progress = _ =>
            {
                if (--left == 0) throw new OperationCanceledException();
            };
            try
            {
                evaluation.Run(resume: true);
            }
            catch (OperationCanceledException)
            {
                // As a user's Ctrl-C does.
            }
        }
        AssertSame(whole, broken);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    public void The_batch_size_changes_nothing(int batch) => AssertSame(Evaluate("wide"), Evaluate($"batch{batch}", batch: batch));

    [Fact]
    public void Every_counted_example_can_be_verified_and_a_changed_one_is_found()
    {
        string folder = Evaluate("sound");
        var sound = Verification.Run(folder, _m.Net, "net");
        Assert.Empty(sound.Problems);
        Assert.True(sound.Examples > 10);
        string file = Path.Combine(folder, "adversarial-1-small.npy");
        byte[] bytes = File.ReadAllBytes(file);
        var victim = Ledger.Read(folder).First(e => e is { Eps: 1, Suite: "small", Fooled: true });
        int at = bytes.Length - (16 - victim.Sample) * 192 * 4;
        BitConverter.GetBytes(1f).CopyTo(bytes, at);
        File.WriteAllBytes(file, bytes);
        var problems = Verification.Run(folder, _m.Net, "net").Problems;
        Assert.Contains(problems, p => p.Contains($"image {victim.Sample} in small") && p.Contains("not the one in the ledger"));
        Assert.Contains(problems, p => p.Contains("outside ball or box"));
        Assert.Contains("SHA-256", Verification.Run(folder, _m.Net, "another").Problems[0]);
    }

    [Fact]
    public void Larger_radii_take_over_what_smaller_ones_broke()
    {
        string folder = Evaluate("radii");
        var ledger = Ledger.Read(folder);
        HashSet<int> Broken(int eps) => [.. ledger.Where(e => e.Eps == eps && e is { Suite: "small", Fooled: true }).Select(e => e.Sample)];
        Assert.Subset(Broken(1), Broken(0));
        Assert.Contains(ledger, e => e.Attack == "reused");
        Assert.True(Broken(0).Count < Broken(1).Count);
    }

    [Fact]
    public void What_a_smaller_radius_broke_is_booked_to_the_attack_that_broke_it()
    {
        string folder = Path.Combine(_root, "booked");
        EvaluationPlan plan = Plan(16) with
        {
            SuitesAt = eps => [new AttackSuite("small", "small",
                [new PgdAttack { Eps = eps, Steps = 1, StepSize = 1e-9 }, Apgd.CrossEntropy with { Eps = eps, Steps = 8 }])],
        };
        var report = new RobustEvaluation(_m.Net, plan, _m.Images, _m.Labels, folder, Fixture.Image)
        { SkipSelfTest = true }.Run(resume: false);
        var ledger = Ledger.Read(folder);
        foreach (var e in ledger.Where(e => e.Attack == "reused"))
        {
            var first = ledger.Single(o => o is { Eps: 0, Fooled: true } && o.Suite == e.Suite && o.Sample == e.Sample);
            Assert.Equal((first.Stage, first.Rank, first.Restart, first.Digest), (e.Stage, e.Rank, e.Restart, e.Digest));
        }
        // What only a later attack broke at the smaller radius is still there after the first attack at the larger one.
        var (small, large) = (report.Columns.Single(c => c is { Eps: 0, Suite: "small" }),
            report.Columns.Single(c => c is { Eps: 1, Suite: "small" }));
        int late = ledger.Count(e => e is { Eps: 0, Suite: "small", Fooled: true, Stage: > 0 });
        Assert.True(late > 0);
        Assert.True(large.Stages[0].Robust >= large.Robust + late);
        Assert.Equal(late, small.Stages[0].Robust - small.Robust);
    }

    [Fact]
    public void Lines_that_failed_can_be_run_again()
    {
        string folder = Path.Combine(_root, "again");
        EvaluationPlan plan = Plan(16) with
        {
            SuitesAt =
            eps => [AttackCatalog.Find("pgd5", Norm.Linf, eps, 10)!, AttackCatalog.Find("apgd-ce", Norm.Linf, eps, 10)!]
        };
        new RobustEvaluation(_m.Net, plan, _m.Images, _m.Labels, folder, Fixture.Image) { SkipSelfTest = true }.Run(resume: false);
        Assert.Empty(Verification.Run(folder, _m.Net, "net", rerun: 1000).Problems);
        // A liar keeps the clean image and writes the line of an attack that failed.
        var lines = Ledger.Read(folder).ToList();
        int victim = lines.FindLastIndex(e => e is { Eps: 1, Suite: "pgd5", Fooled: true } && e.Attack != "reused");
        var lie = lines[victim];
        lines[victim] = lie with { Fooled = false, Prediction = -1, Norm = 0, Margin = 0, Digest = "" };
        string pictures = Path.Combine(folder, "adversarial-1-pgd5.npy");
        float[] values = Npy.Read(pictures).ToFloats();
        _m.Images.AsSpan(lie.Sample * 192, 192).CopyTo(values.AsSpan(lie.Sample * 192));
        Npy.Write(pictures, NamedArray.FromFloats("x", values, 16, 3, 8, 8));
        foreach (string name in new[] { "ledger.jsonl", "journal.jsonl" })
            File.WriteAllText(Path.Combine(folder, name), Ledger.Text(lines));
        var manifest = Verification.ManifestOf(folder);
        var report = EvaluationReport.Read(folder) with { Columns = EvaluationReport.Count(lines, manifest.Columns).Columns };
        File.WriteAllText(Path.Combine(folder, "result.json"),
            System.Text.Json.JsonSerializer.Serialize(report, EvaluationManifest.Format) + "\n");
        Seal.Write(folder, manifest);
        Assert.Empty(Verification.Run(folder, _m.Net, "net").Problems);
        string found = Assert.Single(Verification.Run(folder, _m.Net, "net", rerun: 1000).Problems);
        Assert.Contains($"image {lie.Sample} in pgd5 at eps 0.02", found);
        Assert.Contains("breaks it, the ledger says that it failed", found);
    }

    [Fact]
    public void A_label_tells_settings_that_the_name_does_not_stand_for()
    {
        Assert.Equal("apgd-ce", AttackSuite.Of("x", Apgd.CrossEntropy with { Eps = 0.3 }).Label);
        Assert.Equal("pgd5", AttackSuite.Of("x", new PgdAttack { Steps = 5, StepSize = 0.1 }).Label);
        Assert.StartsWith("apgd-ce (loss=ce steps=8 ", AttackSuite.Of("x", Apgd.CrossEntropy with { Steps = 8 }).Label);
        Assert.StartsWith("pgd5 (loss=margin ", AttackSuite.Of("x", new PgdAttack { Steps = 5, Loss = AttackLoss.Margin }).Label);
        foreach (string name in AttackCatalog.Examples.Where(
            n => n is not ("clean" or "fgm" or "cw-l2") && !n.StartsWith("aa", StringComparison.Ordinal)))
            Assert.Equal(name, AttackCatalog.Find(name, Norm.Linf, 0.03, 10)!.Label);
    }

    [Fact]
    public void The_whole_box_leaves_nothing_robust()
    {
        var outcomes = _m.Attack(Apgd.Targeted with { Eps = 1 });
        Assert.All(outcomes, o => Assert.True(o.Fooled));
    }

    [Fact]
    public void The_suite_is_as_strong_as_the_strongest_of_its_attacks()
    {
        var report = Evaluation(Path.Combine(_root, "strong")).Run(resume: false);
        foreach (var column in report.Columns)
            Assert.Equal(column.Stages.Select(s => s.Robust).OrderDescending(), column.Stages.Select(s => s.Robust));
        var attacks = Plan(64).SuitesAt(0.02).Single(s => s.Name == "small").Attacks;
        int strongest = attacks.Min(a => _m.Attack(a).Count(o => !o.Fooled));
        Assert.True(report.Columns.Single(c => c is { Eps: 1, Suite: "small" }).Robust <= strongest);
    }

    [Fact]
    public void A_folder_with_another_evaluation_is_left_alone()
    {
        string folder = Evaluate("taken");
        Assert.Contains("resume: true", Assert.Throws<DataException>(() => Evaluation(folder).Run(resume: false)).Message);
        var other = new RobustEvaluation(_m.Net, Plan(64) with { Seed = 9 }, _m.Images, _m.Labels, folder, Fixture.Image);
        Assert.Contains("not with 'seed 9'", Assert.Throws<DataException>(() => other.Run(resume: true)).Message);
        float[] changed = [.. _m.Images];
        changed[0] = 0.5f;
        var data = new RobustEvaluation(_m.Net, Plan(64), changed, _m.Labels, folder, Fixture.Image);
        Assert.Contains("not with 'data ", Assert.Throws<DataException>(() => data.Run(resume: true)).Message);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-0.1)]
    [InlineData(1.5)]
    [InlineData(double.NaN)]
    public void A_radius_that_is_none_is_refused(double eps)
    {
        var plan = Plan(8) with { Radii = [new Radius("x", eps)] };
        Assert.Contains("must lie in (0, 1]", Assert.Throws<ArgumentException>(
            () => new RobustEvaluation(_m.Net, plan, _m.Images, _m.Labels, _root)).Message);
    }

    [Theory]
    [InlineData(50, 100, 0.4038, 0.5962)]
    [InlineData(0, 20, 0, 0.1611)]
    [InlineData(500, 1000, 0.4691, 0.5309)]
    [InlineData(5000, 10000, 0.4902, 0.5098)]
    public void Intervals_are_Wilsons(int count, int all, double low, double high)
    {
        var interval = WilsonInterval.Of(count, all);
        Assert.Equal(low, interval.Low, 1e-4);
        Assert.Equal(high, interval.High, 1e-4);
    }

    [Fact]
    public void The_leaderboards_file_has_its_keys_and_only_takes_the_standard_version()
    {
        EvaluationReport report = new(10_000, 8512,
            [new(0, "aa", "aa-standard", 4973, []), new(0, "aa2", "aa-standard(K=5, adapted)", 1, [])], [], []);
        var plan = Plan(8) with { Radii = [new Radius("8/255", 8 / 255.0)] };
        string json = RobustBenchInfo.Of(report, plan, "Me2026Net", "cifar10", "preactresnet18")!.ToJson();
        foreach (string part in new[] { "\"eps\": \"8/255\"", "\"clean_acc\": \"85.12\"", "\"autoattack_acc\": \"49.73\"",
            "\"unreliable\": false", "\"footnote\": null" })
            Assert.Contains(part, json);
        Assert.Null(RobustBenchInfo.Of(report with { Columns = [report.Columns[1]] }, plan, "a", "b", "c"));
    }

    [Theory]
    [InlineData(0, 10_000, null)]
    [InlineData(0, 2, "First 2 test images only.")]
    [InlineData(3, 2, "Test images 3 to 4 only, counted from 0.")]
    [InlineData(5, 10_000, "Test images 5 to 10004 only, counted from 0.")]
    public void The_leaderboards_footnote_names_the_images(int first, int images, string? footnote)
    {
        EvaluationReport report = new(images, 2, [new(0, "aa", "aa-standard", 1, [])], [], []);
        var plan = Plan(8) with { Radii = [new Radius("8/255", 8 / 255.0)], First = first };
        Assert.Equal(footnote, RobustBenchInfo.Of(report, plan, "a", "b", "c")!.Footnote);
    }

    [Fact]
    public void The_leaderboards_file_never_chooses_a_radius_itself()
    {
        EvaluationReport report = new(9, 8, [new(0, "aa", "aa-standard", 7, []), new(1, "aa", "aa-standard", 1, [])], [], []);
        Assert.Contains("choose one", Assert.Throws<ArgumentException>(() => RobustBenchInfo.Of(report, Plan(8), "a", "b", "c")).Message);
        var chosen = RobustBenchInfo.Of(report, Plan(8), "a", "b", "c", 1)!;
        Assert.Equal(("0.02", "88.89", "11.11"), (chosen.Eps, chosen.CleanAcc, chosen.AutoattackAcc));
        Assert.Equal("10.00", RobustBenchInfo.Of(report with { Images = 30, CleanCorrect = 3 }, Plan(8), "a", "b", "c", 1)!.CleanAcc);
    }

    [Theory]
    [InlineData(20, 0, 0)]
    [InlineData(20, 20, 20)]
    [InlineData(20, 20, 0)]
    [InlineData(1, 1, 1)]
    public void Intervals_of_the_summaries_have_a_width_at_both_ends(int images, int clean, int robust)
    {
        foreach (var score in new Func<double, double, double>[] { RobustnessScores.Mean, RobustnessScores.Nrr })
        {
            double value = score((double)clean / images, (double)robust / images);
            var (low, high) = RobustnessScores.Interval(score, clean, robust, images);
            Assert.InRange(value, low, high);
            Assert.True(high - low > 0.1 && low >= 0 && high <= 1);
        }
    }

    // Over all outcomes of 50 images of which each is robust, right without an attack alone, or wrong.
    [Theory]
    [InlineData(0.9, 0.5)]
    [InlineData(0.98, 0.02)]
    [InlineData(0.5, 0.48)]
    [InlineData(1, 0.96)]
    [InlineData(0.06, 0.02)]
    public void Intervals_of_the_summaries_hold_the_truth_19_times_in_20(double clean, double robust)
    {
        const int n = 50;
        double[] logs = [.. Enumerable.Range(0, n + 1).Select(k => Enumerable.Range(1, k).Sum(i => Math.Log(i)))];
        double mean = 0, nrr = 0;
        for (int c = 0; c <= n; c++)
            for (int r = 0; r <= c; r++)
            {
                double p = Math.Exp(logs[n] - logs[r] - logs[c - r] - logs[n - c] + Term(r, robust) + Term(c - r, clean - robust)
                    + Term(n - c, 1 - clean));
                mean += Holds(RobustnessScores.Mean, c, r) ? p : 0;
                nrr += Holds(RobustnessScores.Nrr, c, r) ? p : 0;
            }
        Assert.InRange(mean, 0.95, 1.0000001);
        Assert.InRange(nrr, 0.95, 1.0000001);

        static double Term(int k, double p) => k == 0 ? 0 : k * Math.Log(p);
        bool Holds(Func<double, double, double> score, int c, int r)
        {
            var (low, high) = RobustnessScores.Interval(score, c, r, n);
            return score(clean, robust) >= low - 1e-12 && score(clean, robust) <= high + 1e-12;
        }
    }

    private string Evaluate(string name, bool resume = false, int batch = 64)
    {
        string folder = Path.Combine(_root, name);
        Evaluation(folder, batch).Run(resume);
        return folder;
    }

    private RobustEvaluation Evaluation(string folder, int batch = 64) =>
        new(_m.Net, Plan(batch), _m.Images, _m.Labels, folder, Fixture.Image) { SkipSelfTest = true };

    private static EvaluationPlan Plan(int batch) => new()
    {
        Norm = Norm.Linf,
        Radii = [new("0.01", 0.01), new("0.02", 0.02)],
        Batch = batch,
        Model = "net",
        ModelHash = "net",
        Data = "M",
        SuitesAt = eps =>
        [
            AttackSuite.Of("pgd5", new PgdAttack { Eps = eps, StepSize = eps / 3, Steps = 5 }),
            new AttackSuite("small", "small", [Apgd.CrossEntropy with { Eps = eps, Steps = 8 }, Apgd.Targeted with
                { Eps = eps, Steps = 8, Targets = 3 },
                Fab.Targeted with { Eps = eps, Steps = 5, Targets = 2 }, new Square { Eps = eps, Steps = 20 }]),
        ],
    };

    private string Copy(string folder, string name, string[] without)
    {
        string copy = Directory.CreateDirectory(Path.Combine(_root, name)).FullName;
        foreach (string file in Directory.GetFiles(folder))
            if (!without.Contains(Path.GetFileName(file))) File.Copy(file, Path.Combine(copy, Path.GetFileName(file)));
        return copy;
    }

    private static void AssertSame(string one, string other)
    {
        foreach (string file in Directory.GetFiles(one).Select(f => Path.GetFileName(f)!).Where(f => f != "journal.jsonl"))
            Assert.True(File.ReadAllBytes(Path.Combine(one, file)).SequenceEqual(File.ReadAllBytes(Path.Combine(other, file))),
                $"{file} differs");
    }
}
