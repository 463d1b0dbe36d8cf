using Rpat.Models;

namespace Rpat.Tests.Trainer.Cli;

/// <summary><c>rpat eval</c>, <c>eval verify</c>, <c>attack</c> and <c>attacks</c>, end to end on a tiny net.</summary>
public sealed class EvalCommandTests : EvaluatedNet
{
    [Theory]
    [InlineData("clean=0,pgd2=0", 0, "")]
    [InlineData("pgd2=100", 7, "rpat: pgd2 at eps 8/255 is ")]
    [InlineData("pgd20=45", 2, "--attacks does not measure: did you mean 'pgd2'?")]
    [InlineData("pgd2", 2, "ATTACK=PERCENT is wanted")]
    public void AnAccuracyThatIsTooLowIsAnExitCode(string limit, int code, string sentence)
    {
        Assert.Equal(code, Test.Run("eval", Model, "--data", $"npz:{Data}", "--attacks", "clean,pgd2", "--fail-under", limit));
        Assert.Contains(sentence, Test.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void An_evaluation_prints_a_table_writes_json_and_verifies()
    {
        string json = Test.PathOf("result.json"), folder = Test.PathOf("evaluation");
        Assert.Equal(0, Test.Run("eval", Model, "--data", $"npz:{Data}", "--attacks", "clean,pgd5,cw3,apgd-ce", "--eps", "4/255,8/255",
            "--json", json, "--out", folder, "--threads", "1"));
        Assert.Contains("95 % interval", Test.Out);
        Assert.Contains("APGD-CE", Test.Out);
        Assert.Contains("self-test against exact optima: passed", Test.Out);
        Assert.Contains("warning [few-points]", Test.Out);
        using var parsed = JsonDocument.Parse(File.ReadAllText(json));
        Assert.Equal(24, parsed.RootElement.GetProperty("images").GetInt32());
        Assert.Equal(6, parsed.RootElement.GetProperty("results").GetArrayLength());
        using var again = new TestHost();
        Assert.Equal(0, again.Run("eval", "verify", folder));
        Assert.Contains(" 0 problems", again.Out);
        string digest = parsed.RootElement.GetProperty("digest").GetString()!;
        Assert.Contains($"digest: {digest}", again.Out);
        Assert.Equal(2, parsed.RootElement.GetProperty("results")[0].GetProperty("nrr_interval").GetArrayLength());
        using var published = new TestHost();
        Assert.Equal(0, published.Run("eval", "verify", folder, "--digest", digest, "--rerun", "3"));
        Assert.Equal(8, published.Run("eval", "verify", folder, "--digest", new string('0', 64)));
        Assert.Contains("the published one 0000", published.Out);
        using var resumed = new TestHost();
        Assert.Equal(0, resumed.Run("eval", Model, "--data", $"npz:{Data}", "--attacks", "clean,pgd5,cw3,apgd-ce", "--eps",
            "4/255,8/255", "--out", folder, "--resume"));
        Assert.Equal(Test.Out, resumed.Out);
    }

    // Numbers in a ledger begin at the first image that was evaluated.
    [Fact]
    public void OutcomesOfAPartAreThoseOfItsImages()
    {
        string folder = Test.PathOf("part");
        Assert.True(Test.Run("eval", Model, "--data", $"npz:{Data}", "--attacks", "fgsm", "--first", "7", "--n", "17", "--eps", "1/255",
            "--out", folder) == 0, Test.Error);
        var outcomes = Rpat.Trainer.Report.ImageOutcomes.OfEvaluation(folder).ToDictionary(pair => pair.Key.Column, pair => pair.Value);
        using var result = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "result.json")));
        int clean = result.RootElement.GetProperty("clean_correct").GetInt32();
        Assert.InRange(clean, 1, 17);
        Assert.Equal(clean, outcomes["Clean"].Count(right => right));
        Assert.Equal(result.RootElement.GetProperty("columns")[0].GetProperty("robust").GetInt32(),
            outcomes["fgsm, linf eps 1/255"].Count(right => right));
        Assert.Equal(("FGSM", "linf eps 1/255"), Rpat.Trainer.Report.ImageOutcomes.Parts("fgsm, linf eps 1/255"));
    }

    [Fact]
    public void SeveralThreatModelsAreOneColumnJoinedImageByImage()
    {
        string linf = Test.PathOf("linf"), l1 = Test.PathOf("l1");
        Assert.Equal(0, Test.Run("eval", Model, "--data", $"npz:{Data}", "--attacks", "pgd2", "--eps", "2/255,8/255", "--out", linf));
        Assert.Equal(0, Test.Run("eval", Model, "--data", $"npz:{Data}", "--attacks", "apgd-ce", "--norm", "l1", "--eps", "2", "--out",
            l1));
        using var union = new TestHost();
        Assert.Equal(0, union.Run("eval", "union", linf, l1, "--json"));
        var one = JsonDocument.Parse(union.Out).RootElement[0];
        HashSet<int> Right(string folder) => [.. Verification.LedgerOf(folder).GroupBy(e => e.Sample)
            .Where(lines => lines.All(e => !e.Fooled)).Select(lines => lines.Key)];
        Assert.Equal(Right(linf).Intersect(Right(l1)).Count(), one.GetProperty("union").GetInt32());
        Assert.Equal(3, one.GetProperty("threats").GetArrayLength());
        Assert.Equal(1, one.GetProperty("competitiveness").GetDouble());
        Assert.Equal(0, union.Run("eval", "union", linf));
        Assert.Equal(0, Test.Run("eval", Model, "--data", $"npz:{Data}", "--attacks", "pgd2", "--n", "5", "--out", Test.PathOf("few")));
        Assert.NotEqual(0, union.Run("eval", "union", linf, Test.PathOf("few")));
        Assert.Contains("is of other images than", union.Error);
    }

    [Fact]
    public void ThreatsOfOtherSettingsAreNotCompared()
    {
        string other = Test.PathOf("other.safetensors"), first = Test.PathOf("first");
        using (var device = Device.Cpu(1))
            Safetensors.Write(other, ModelCatalog.Build(device, Spec, seed: 2).State(), ModelMetadata.Write(Spec));
        string[] attack = ["--data", $"npz:{Data}", "--attacks", "pgd2", "--n", "8"];
        Assert.Equal(0, Test.Run(["eval", Model, .. attack, "--eps", "8/255", "--out", first]));
        Assert.Equal(0, Test.Run(["eval", other, .. attack, "--eps", "0.03137254901960784", "--out", Test.PathOf("same")]));
        Assert.Equal(0, Test.Run(["eval", other, .. attack, "--eps", "8/255", "--step-size", "1/255", "--out", Test.PathOf("others")]));
        using var union = new TestHost();
        Assert.True(union.Run("eval", "union", first, Test.PathOf("same")) == 0, union.Error);
        Assert.Equal(2, union.Out.Split("PGD-2 linf 8/255").Length - 1);
        Assert.Equal(3, union.Run("eval", "union", first, Test.PathOf("others")));
        Assert.Contains("are not measured under the same threats: pgd2 linf 8/255 (pgd2; pgd2 loss=ce steps=2 step=0.00784313725490196 ",
            union.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void AnEvaluationOfStandardisedImagesIsVerified()
    {
        string folder = Test.PathOf("standardised");
        Assert.Equal(0, Test.Run("eval", Model, "--standardize", "--data", $"npz:{Data}", "--attacks", "fgsm", "--n", "8", "--out",
            folder));
        using var verify = new TestHost();
        Assert.True(verify.Run("eval", "verify", folder) == 0, verify.Out + verify.Error);
    }

    [Fact]
    public void An_attack_keeps_its_images()
    {
        string file = Test.PathOf("adv.npz");
        Assert.Equal(0, Test.Run("attack", Model, "--data", $"npz:{Data}", "--attack", "fgsm", "--eps", "8/255", "--n", "10", "--out",
            file));
        var arrays = Npz.Read(file);
        Assert.Equal([10, 1, 8, 8], arrays["images"].Shape);
        Assert.Equal(10, arrays["fooled"].Count);
    }

    [Fact]
    public void A_targeted_attack_counts_only_what_it_brought_to_the_target()
    {
        string file = Test.PathOf("adv.npz");
        Centre();
        int brought = 0, left = 0;
        foreach (int target in new[] { 0, 3, 7 })
        {
            using var test = new TestHost();
            Assert.Equal(0, test.Run("attack", Model, "--data", $"npz:{Data}", "--attack", "pgd5", "--eps", "1", "--target", $"{target}",
                "--out", file, "--json"));
            using var told = JsonDocument.Parse(test.Out);
            var made = Npz.Read(file);
            long[] labels = made["labels"].ToInt64(), attacked = made["attacked"].ToInt64(), fooled = made["fooled"].ToInt64();
            Assert.All(Enumerable.Range(0, 24), i => Assert.True(fooled[i] <= attacked[i] && (labels[i] != target || attacked[i] == 0)));
            Assert.Equal((fooled.Sum(), attacked.Sum(), target), (told.RootElement.GetProperty("fooled").GetInt64(),
                told.RootElement.GetProperty("attacked").GetInt64(), told.RootElement.GetProperty("target").GetInt32()));
            (brought, left) = (brought + (int)fooled.Sum(),
                left + Enumerable.Range(0, 24).Count(i => labels[i] != target && attacked[i] == 0));
        }
        Assert.True(brought > 0 && left > 0, $"{brought} {left}");
    }

    /// <summary>Moves the last bias so that the net's classes differ between images.</summary>
    private void Centre()
    {
        string logits = Test.PathOf("logits.npy");
        Assert.Equal(0, Test.Run("eval", Model, "--data", $"npz:{Data}", "--attacks", "clean", "--save-logits", logits));
        float[] z = Npy.Read(logits).ToFloats();
        using var device = Device.Cpu(1);
        FeatureClassifier net = ModelCatalog.Build(device, Spec, seed: 1);
        var bias = net.Parameters.Parameters.Single(p => p.Name == "linear.bias");
        bias.Upload([.. bias.ToArray().Select((b, k) => b - z.Where((_, i) => i % 10 == k).Average())]);
        Safetensors.Write(Model, net.State(), ModelMetadata.Write(Spec));
    }

    [Fact]
    public void What_was_said_of_a_network_is_kept_for_its_verification()
    {
        string bare = Test.PathOf("bare.safetensors"), folder = Test.PathOf("said");
        using (var device = Device.Cpu(1)) Safetensors.Write(bare, ModelCatalog.Build(device, Spec, seed: 1).State());
        Assert.Equal(0, Test.Run("eval", bare, "--model", "preactresnet18", "--mean", "0.5", "--std", "0.25", "--data", $"npz:{Data}",
            "--attacks", "clean", "--out", folder));
        using var verify = new TestHost();
        Assert.Equal(0, verify.Run("eval", "verify", folder));
        Assert.Equal(8, verify.Run("eval", "verify", folder, "--model", "preactresnet18", "--mean", "0.4", "--std", "0.25"));
    }

    [Fact]
    public void The_leaderboards_file_names_the_images_and_no_files_stem()
    {
        string file = Test.PathOf("rb.json");
        Assert.Equal(0, Test.Run("eval", Model, "--data", $"npz:{Data}", "--attacks", "aa", "--eps", "1", "--first", "3", "--n", "2",
            "--out", Test.PathOf("out"), "--robustbench-json", file));
        using var info = JsonDocument.Parse(File.ReadAllText(file));
        Assert.Equal(("", "Test images 3 to 4 only, counted from 0.", "1"), (
            info.RootElement.GetProperty("dataset").GetString(), info.RootElement.GetProperty("footnote").GetString(),
            info.RootElement.GetProperty("eps").GetString()));
    }

    [Fact]
    public void Images_in_the_middle_alone_get_the_numbers_that_they_get_among_all()
    {
        string[] common = ["eval", Model, "--data", $"npz:{Data}", "--attacks", "clean,pgd5,apgd-ce", "--eps", "1/255"];
        Assert.Equal(0, Test.Run([.. common, "--out", Test.PathOf("all")]));
        Assert.Equal(0, Test.Run([.. common, "--out", Test.PathOf("part"), "--first", "7", "--n", "9"]));
        string[] all = Entries("all", i => i is >= 7 and < 16, 7), part = Entries("part", _ => true, 0);
        Assert.Equal(all, part);
        using var verify = new TestHost();
        Assert.Equal(0, verify.Run("eval", "verify", Test.PathOf("part")));
        Assert.Equal(2, Test.Run([.. common, "--first", "24"]));
        Assert.Contains("has the images 0 to 23: give less", Test.Error);
    }

    private string[] Entries(string folder, Func<int, bool> wanted, int first) =>
    [
        .. from line in File.ReadLines(Test.PathOf($"{folder}/ledger.jsonl"))
           let entry = JsonSerializer.Deserialize<Rpat.Robust.Evaluation.LedgerEntry>(line)!
           where wanted(entry.Sample)
           select (entry with { Sample = entry.Sample - first }).ToString(),
    ];

    [Fact]
    public void The_attacks_are_listed_with_their_sources()
    {
        Assert.Equal(0, Test.Run("attacks"));
        foreach (string name in new[] { "fgsm", "pgdN", "cw-l2", "deepfool", "apgd-t", "fab-t", "square", "aa-plus", "aa-rand" })
            Assert.Contains($"\n{name}", "\n" + Test.Out);
        Assert.Contains("[Croce and Hein, ICML'20]", Test.Out);
    }

    [Fact]
    public void WhatIsMeasuredAlreadyIsSaidToBe()
    {
        string[] line = ["eval", Model, "--data", $"npz:{Data}", "--attacks", "fgsm", "--n", "4"];
        string[] Folders() => Directory.GetDirectories(Test.PathOf("runs"), "fgsm-*", SearchOption.AllDirectories);
        Assert.True(Test.Run(line) == 0, Test.Error);
        string first = Test.Out;
        Assert.DoesNotContain("measured before", Test.Error, StringComparison.Ordinal);
        Assert.True(Test.Run(line) == 0, Test.Error);
        Assert.Equal(first + first, Test.Out);
        Assert.Contains("note: measured before, with the same weights, images and settings: ", Test.Error, StringComparison.Ordinal);
        Assert.Single(Folders());
        Assert.True(Test.Run([.. line, "--seed", "1"]) == 0, Test.Error);
        Assert.Equal(2, Folders().Length);
        Assert.True(Test.Run([.. line, "--again"]) == 0, Test.Error);
        Assert.Equal(3, Folders().Length);
        string digest = Verification.DigestOf(Folders().MinBy(folder => folder.Length)!);
        Assert.Equal(2, Test.Run("eval", "verify", Model));
        Assert.True(Test.Run("eval", "verify", Model, "--digest", digest) == 0, Test.Error);
        Assert.Matches(@"\n\d+ ledger lines and \d+ adversarial images checked: 0 problems\n", Test.Out);
    }
}
