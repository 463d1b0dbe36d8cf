using Rpat.Models;

namespace Rpat.Tests.Trainer.Cli;

/// <summary><c>rpat eval</c>, <c>eval verify</c>, <c>attack</c> and <c>attacks</c>, end to end on a tiny net.</summary>
public sealed class EvalCommandTests : IDisposable
{
    private static readonly ModelSpec _spec = new("preactresnet18", new Shape(1, 1, 8, 8), 10) { Width = 4, Blocks = 1 };

    private readonly TestHost _test = new();
    private readonly string _model;
    private readonly string _data;

    public EvalCommandTests()
    {
        _model = _test.PathOf("net.safetensors");
        _data = _test.PathOf("data.npz");
        using var device = Device.Cpu(1);
        ModelSpec spec = _spec;
        Safetensors.Write(_model, ModelCatalog.Build(device, spec, seed: 1).State(), ModelMetadata.Write(spec));
        Random random = new(1);
        byte[] pixels = new byte[24 * 64];
        random.NextBytes(pixels);
        Npz.Write(_data, [new NamedArray("images", ElementType.U8, [24, 1, 8, 8], pixels),
            NamedArray.FromInt64("labels", [.. Enumerable.Range(0, 24).Select(i => i % 10L)], 24)]);
    }

    public void Dispose() => _test.Dispose();

    [Theory]
    [InlineData("clean=0,pgd2=0", 0, "")]
    [InlineData("pgd2=100", 7, "rpat: pgd2 at eps 8/255 is ")]
    [InlineData("pgd20=45", 2, "--attacks does not measure: did you mean 'pgd2'?")]
    [InlineData("pgd2", 2, "ATTACK=PERCENT is wanted")]
    public void AnAccuracyThatIsTooLowIsAnExitCode(string limit, int code, string sentence)
    {
        Assert.Equal(code, _test.Run("eval", _model, "--data", $"npz:{_data}", "--attacks", "clean,pgd2", "--fail-under", limit));
        Assert.Contains(sentence, _test.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void An_evaluation_prints_a_table_writes_json_and_verifies()
    {
        string json = _test.PathOf("result.json"), folder = _test.PathOf("evaluation");
        Assert.Equal(0, _test.Run("eval", _model, "--data", $"npz:{_data}", "--attacks", "clean,pgd5,cw3,apgd-ce", "--eps", "4/255,8/255",
            "--json", json, "--out", folder, "--threads", "1"));
        Assert.Contains("95 % interval", _test.Out);
        Assert.Contains("APGD-CE", _test.Out);
        Assert.Contains("self-test against exact optima: passed", _test.Out);
        Assert.Contains("warning [few-points]", _test.Out);
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
        Assert.Equal(0, resumed.Run("eval", _model, "--data", $"npz:{_data}", "--attacks", "clean,pgd5,cw3,apgd-ce", "--eps",
            "4/255,8/255", "--out", folder, "--resume"));
        Assert.Equal(_test.Out, resumed.Out);
    }

    [Fact]
    public void AnOnnxFileIsMeasuredByItsAnswersAlone()
    {
        string onnx = _test.PathOf("net.onnx"), own = _test.PathOf("own");
        Assert.Equal(0, _test.Run("export", _model, "-o", onnx));
        using var box = new TestHost();
        Assert.Equal(0, box.Run("eval", "blackbox", onnx, "--data", $"npz:{_data}", "--queries", "20", "--surrogate", _model, "--transfer",
            "pgd5", "--json"));
        var measured = JsonDocument.Parse(box.Out).RootElement;
        static int Correct(JsonElement accuracy) => accuracy.GetProperty("correct").GetInt32();
        int clean = Correct(measured.GetProperty("clean"));
        var rows = measured.GetProperty("results").EnumerateArray().ToList();
        Assert.Equal(0, _test.Run("eval", _model, "--data", $"npz:{_data}", "--attacks", "pgd5", "--out", own));
        using var same = JsonDocument.Parse(File.ReadAllText(Path.Combine(own, "result.json")));
        Assert.Equal(same.RootElement.GetProperty("clean_correct").GetInt32(), clean);
        Assert.Equal(same.RootElement.GetProperty("columns")[0].GetProperty("robust").GetInt32(), Correct(rows[1].GetProperty("accuracy")));
        Assert.InRange(Correct(rows[0].GetProperty("accuracy")), 0, clean);
        Assert.Equal(["square", "pgd5-transfer"], rows.Select(row => row.GetProperty("attack").GetString()));
        Assert.Equal(2, box.Run("eval", "blackbox", _data, "--data", $"npz:{_data}"));
        Assert.Contains("is no network that ONNX Runtime can run", box.Error);
        using var device = Device.Cpu(1);
        var asked = new BlackBox(device, new Shape(1, 1, 8, 8), 10, images => new float[images.Length / 64 * 10]);
        Assert.Throws<InvalidOperationException>(() => new AttackRunner(asked).Perturb(Apgd.CrossEntropy, new float[64], [0]));
    }

    [Fact]
    public void CorruptionsOfAnOnnxFileAreThoseOfItsNetwork()
    {
        string onnx = _test.PathOf("net.onnx"), folder = WriteCorruptions(), csv = _test.PathOf("grid.csv");
        Assert.Equal(0, _test.Run("export", _model, "-o", onnx));
        Assert.Equal(0, _test.Run("eval", "corruptions", _model, "--folder", folder, "--csv", csv));
        double mean = File.ReadAllLines(csv)[2].Split(',').Skip(1).Average(cell => double.Parse(cell, CultureInfo.InvariantCulture));
        using var box = new TestHost();
        Assert.Equal(0, box.Run("eval", "blackbox", onnx, "--data", $"npz:{_data}", "--queries", "0", "--corruptions", folder, "--json"));
        var row = JsonDocument.Parse(box.Out).RootElement.GetProperty("corruptions");
        Assert.Equal(15 * 5, row.GetProperty("cells").GetArrayLength());
        Assert.Equal(mean, row.GetProperty("accuracy").GetDouble(), 1e-9);
        Assert.InRange(mean, 0.01, 0.99);
        File.Delete(Path.Combine(folder, "snow.npy"));
        Assert.Equal(3, box.Run("eval", "blackbox", onnx, "--data", $"npz:{_data}", "--queries", "0", "--corruptions", folder));
        Assert.Contains("snow.npy", box.Error);
    }

    // Like any evaluation: kept among the runs, resumed, verified, reported, its data remembered.
    [Fact]
    public void ABlackBoxEvaluationIsKeptAndVerifies()
    {
        string onnx = _test.PathOf("net.onnx");
        Assert.Equal(0, _test.Run("export", _model, "-o", onnx));
        string[] line = ["eval", "blackbox", onnx, "--queries", "10", "--n", "6"];
        Assert.Equal(2, _test.Run(line));
        Assert.Contains("rpat: --data is missing", _test.Error, StringComparison.Ordinal);
        Assert.True(_test.Run([.. line, "--data", $"npz:{_data}", "--surrogate", _model, "--transfer", "fgsm"]) == 0, _test.Error);
        foreach (string part in new[] { "\nSquare (10 queries) ", "\nFGSM-transfer ", "an upper bound of the robust accuracy\n" })
            Assert.Contains(part, _test.Out, StringComparison.Ordinal);
        Assert.Matches("robust accuracy after Square linf eps 8/255: .* 6\\)", _test.Error);
        using var again = new TestHost(("RPAT_RUNS", _test.PathOf("runs")));
        Assert.True(again.Run("eval", "verify", onnx, "--rerun", "3") == 0, again.Out + again.Error);
        Assert.Contains(" 0 problems", again.Out, StringComparison.Ordinal);
        Assert.True(again.Run([.. line, "--resume"]) == 0, again.Error);
        Assert.True(again.Run("report", onnx, "--markdown") == 0, again.Error);
        Assert.Contains("| Square (", again.Out, StringComparison.Ordinal);
        Assert.Equal(6, again.Run("eval", onnx));
        Assert.Contains("'rpat eval blackbox'", again.Error, StringComparison.Ordinal);
        string other = _test.PathOf("other.onnx"), folder = Directory.GetDirectories(_test.PathOf("runs"), "square+fgsm-transfer-*",
            SearchOption.AllDirectories).Single();
        using (var device = Device.Cpu(1))
            Safetensors.Write(_model, ModelCatalog.Build(device, _spec, seed: 2).State(), ModelMetadata.Write(_spec));
        Assert.Equal(0, again.Run("export", _model, "-o", other));
        Assert.Equal(8, again.Run("eval", "verify", folder, "--checkpoint", other));
    }

    // Numbers in a ledger begin at the first image that was evaluated.
    [Fact]
    public void OutcomesOfAPartAreThoseOfItsImages()
    {
        string folder = _test.PathOf("part");
        Assert.True(_test.Run("eval", _model, "--data", $"npz:{_data}", "--attacks", "fgsm", "--first", "7", "--n", "17", "--eps", "1/255",
            "--out", folder) == 0, _test.Error);
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
    public void AHelpListsItsOwnArgumentsOnly()
    {
        Assert.Equal(0, _test.Run("eval", "blackbox", "--help"));
        Assert.Contains("eval blackbox <FILE.onnx> [options]", _test.Out, StringComparison.Ordinal);
        Assert.DoesNotContain("CHECKPOINT> blackbox", _test.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void APictureIsSaidToBeNoCheckpointBeforeItsDataAreAskedFor()
    {
        File.WriteAllBytes(_test.PathOf("p.png"), [0x89, (byte)'P', (byte)'N', (byte)'G', 13, 10, 26, 10, 0, 0, 0, 13]);
        Assert.Equal(6, _test.Run("eval", _test.PathOf("p.png")));
        Assert.Contains("p.png' is a picture: give a checkpoint", _test.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void SeveralThreatModelsAreOneColumnJoinedImageByImage()
    {
        string linf = _test.PathOf("linf"), l1 = _test.PathOf("l1");
        Assert.Equal(0, _test.Run("eval", _model, "--data", $"npz:{_data}", "--attacks", "pgd2", "--eps", "2/255,8/255", "--out", linf));
        Assert.Equal(0, _test.Run("eval", _model, "--data", $"npz:{_data}", "--attacks", "apgd-ce", "--norm", "l1", "--eps", "2", "--out",
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
        Assert.Equal(0, _test.Run("eval", _model, "--data", $"npz:{_data}", "--attacks", "pgd2", "--n", "5", "--out", _test.PathOf("few")));
        Assert.NotEqual(0, union.Run("eval", "union", linf, _test.PathOf("few")));
        Assert.Contains("is of other images than", union.Error);
    }

    [Fact]
    public void An_attack_keeps_its_images()
    {
        string file = _test.PathOf("adv.npz");
        Assert.Equal(0, _test.Run("attack", _model, "--data", $"npz:{_data}", "--attack", "fgsm", "--eps", "8/255", "--n", "10", "--out",
            file));
        var arrays = Npz.Read(file);
        Assert.Equal([10, 1, 8, 8], arrays["images"].Shape);
        Assert.Equal(10, arrays["fooled"].Count);
    }

    [Fact]
    public void A_targeted_attack_counts_only_what_it_brought_to_the_target()
    {
        string file = _test.PathOf("adv.npz");
        Centre();
        int brought = 0, left = 0;
        foreach (int target in new[] { 0, 3, 7 })
        {
            using var test = new TestHost();
            Assert.Equal(0, test.Run("attack", _model, "--data", $"npz:{_data}", "--attack", "pgd5", "--eps", "1", "--target", $"{target}",
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
        string logits = _test.PathOf("logits.npy");
        Assert.Equal(0, _test.Run("eval", _model, "--data", $"npz:{_data}", "--attacks", "clean", "--save-logits", logits));
        float[] z = Npy.Read(logits).ToFloats();
        using var device = Device.Cpu(1);
        FeatureClassifier net = ModelCatalog.Build(device, _spec, seed: 1);
        var bias = net.Parameters.Parameters.Single(p => p.Name == "linear.bias");
        bias.Upload([.. bias.ToArray().Select((b, k) => b - z.Where((_, i) => i % 10 == k).Average())]);
        Safetensors.Write(_model, net.State(), ModelMetadata.Write(_spec));
    }

    [Fact]
    public void What_was_said_of_a_network_is_kept_for_its_verification()
    {
        string bare = _test.PathOf("bare.safetensors"), folder = _test.PathOf("said");
        using (var device = Device.Cpu(1)) Safetensors.Write(bare, ModelCatalog.Build(device, _spec, seed: 1).State());
        Assert.Equal(0, _test.Run("eval", bare, "--model", "preactresnet18", "--mean", "0.5", "--std", "0.25", "--data", $"npz:{_data}",
            "--attacks", "clean", "--out", folder));
        using var verify = new TestHost();
        Assert.Equal(0, verify.Run("eval", "verify", folder));
        Assert.Equal(8, verify.Run("eval", "verify", folder, "--model", "preactresnet18", "--mean", "0.4", "--std", "0.25"));
    }

    [Fact]
    public void A_damaged_evaluation_is_one_sentence()
    {
        string folder = _test.PathOf("damaged");
        Assert.Equal(0, _test.Run("eval", _model, "--data", $"npz:{_data}", "--attacks", "fgsm", "--n", "4", "--out", folder));
        foreach (string path in Directory.GetFiles(folder))
        {
            byte[] sound = File.ReadAllBytes(path);
            File.WriteAllText(path, "{\n");
            using var verify = new TestHost();
            int code = verify.Run("eval", "verify", folder);
            Assert.Equal(Path.GetFileName(path) == "SHA256SUMS" ? 8 : 3, code);
            Assert.DoesNotContain("eps 8/255:", verify.Out);
            if (code == 3) Assert.Single(verify.Error.TrimEnd().Split('\n'));
            else Assert.Contains("nothing is certified", verify.Out);
            File.WriteAllBytes(path, sound);
        }
    }

    [Theory]
    [InlineData("--attacks aa --eps 4/255,8/255", "--eps names 2")]
    [InlineData("--attacks pgd20", "add aa to --attacks")]
    public void The_leaderboards_file_is_refused_before_anything_is_attacked(string options, string sentence)
    {
        Assert.Equal(2, _test.Run(["eval", _model, "--data", $"npz:{_data}", "--out", _test.PathOf("out"), "--robustbench-json",
            _test.PathOf("rb.json"), .. options.Split(' ')]));
        Assert.Contains(sentence, _test.Error);
        Assert.False(Directory.Exists(_test.PathOf("out")));
        Assert.False(File.Exists(_test.PathOf("rb.json")));
    }

    [Fact]
    public void The_leaderboards_file_names_the_images_and_no_files_stem()
    {
        string file = _test.PathOf("rb.json");
        Assert.Equal(0, _test.Run("eval", _model, "--data", $"npz:{_data}", "--attacks", "aa", "--eps", "1", "--first", "3", "--n", "2",
            "--out", _test.PathOf("out"), "--robustbench-json", file));
        using var info = JsonDocument.Parse(File.ReadAllText(file));
        Assert.Equal(("", "Test images 3 to 4 only, counted from 0.", "1"), (
            info.RootElement.GetProperty("dataset").GetString(), info.RootElement.GetProperty("footnote").GetString(),
            info.RootElement.GetProperty("eps").GetString()));
    }

    [Fact]
    public void Images_in_the_middle_alone_get_the_numbers_that_they_get_among_all()
    {
        string[] common = ["eval", _model, "--data", $"npz:{_data}", "--attacks", "clean,pgd5,apgd-ce", "--eps", "1/255"];
        Assert.Equal(0, _test.Run([.. common, "--out", _test.PathOf("all")]));
        Assert.Equal(0, _test.Run([.. common, "--out", _test.PathOf("part"), "--first", "7", "--n", "9"]));
        string[] all = Entries("all", i => i is >= 7 and < 16, 7), part = Entries("part", _ => true, 0);
        Assert.Equal(all, part);
        using var verify = new TestHost();
        Assert.Equal(0, verify.Run("eval", "verify", _test.PathOf("part")));
        Assert.Equal(2, _test.Run([.. common, "--first", "24"]));
        Assert.Contains("has the images 0 to 23: give less", _test.Error);
    }

    private string[] Entries(string folder, Func<int, bool> wanted, int first) =>
    [
        .. from line in File.ReadLines(_test.PathOf($"{folder}/ledger.jsonl"))
           let entry = JsonSerializer.Deserialize<Rpat.Robust.Evaluation.LedgerEntry>(line)!
           where wanted(entry.Sample)
           select (entry with { Sample = entry.Sample - first }).ToString(),
    ];

    [Fact]
    public void The_attacks_are_listed_with_their_sources()
    {
        Assert.Equal(0, _test.Run("attacks"));
        foreach (string name in new[] { "fgsm", "pgdN", "cw-l2", "deepfool", "apgd-t", "fab-t", "square", "aa-plus", "aa-rand" })
            Assert.Contains($"\n{name}", "\n" + _test.Out);
        Assert.Contains("[Croce and Hein, ICML'20]", _test.Out);
    }

    [Theory]
    [InlineData("--eps 0", "--eps is '0' where a positive number is wanted", 2)]
    [InlineData("--eps -0.1", "--eps", 2)]
    [InlineData("--eps 8", "write 8/255", 2)]
    [InlineData("--eps nan", "--eps is 'nan'", 2)]
    [InlineData("--norm l3", "--norm is 'l3': did you mean 'l2'? (norms: linf, l2, l1)", 2)]
    [InlineData("--attacks clean,pgd", "'pgd', which is not an attack", 2)]
    [InlineData("--attacks autoattak", "which is not an attack; did you mean 'aa'?", 2)]
    [InlineData("--norm l2 --attacks fgsm", "does not know the norm l2", 2)]
    [InlineData("--attacks cw-l2", "does not know the norm linf", 2)]
    [InlineData("--n -1", "--n is -1", 2)]
    [InlineData("--batch-size 0", "--batch-size is '0'", 2)]
    [InlineData("--data cifar10x", "There is no data set", 2)]
    public void Wrong_input_is_one_sentence(string options, string expected, int code)
    {
        string[] given = options.Split(' ');
        string[] data = given.Contains("--data") ? [] : ["--data", $"npz:{_data}"];
        Assert.Equal(code, _test.Run(["eval", _model, .. data, .. given, "--out", _test.PathOf("out")]));
        Assert.Contains(expected, _test.Error);
        Assert.Single(_test.Error.TrimEnd().Split('\n'));
        Assert.False(Directory.Exists(_test.PathOf("out")));
    }

    [Fact]
    public void A_model_that_answers_NaN_ends_with_an_error_and_no_number()
    {
        using var device = Device.Cpu(1);
        ModelSpec spec = _spec;
        FeatureClassifier net = ModelCatalog.Build(device, spec, seed: 1);
        net.Parameters.Parameters[0].Upload([.. Enumerable.Repeat(float.NaN, 36)]);
        Safetensors.Write(_model, net.State(), ModelMetadata.Write(spec));
        Assert.Equal(8, _test.Run("eval", _model, "--data", $"npz:{_data}", "--attacks", "clean", "--out", _test.PathOf("out")));
        Assert.Contains("hold NaN", _test.Error);
        Assert.Empty(_test.Out);
    }

    [Theory]
    [InlineData(float.NaN, 0, "holds NaN in image 1 where 0 to 1 is expected: check how it was made")]
    [InlineData(1.5f, 0, "undo the normalisation by mean and deviation")]
    [InlineData(-0.3f, 0, "undo the normalisation by mean and deviation")]
    [InlineData(90f, 0, "divide pixels by 255")]
    [InlineData(0.5f, -1, "label -1 at image 1: number the classes from 0")]
    [InlineData(0.5f, 10, "labels above the 10 classes")]
    public void Images_and_labels_that_are_none_are_one_sentence(float pixel, long label, string expected)
    {
        float[] images = [.. Enumerable.Repeat(0.5f, 128)];
        images[100] = pixel;
        Npz.Write(_data, [NamedArray.FromFloats("images", images, 2, 1, 8, 8), NamedArray.FromInt64("labels", [0, label], 2)]);
        Assert.NotEqual(0, _test.Run("eval", _model, "--data", $"npz:{_data}", "--attacks", "clean,aa", "--out", _test.PathOf("out")));
        Assert.Contains(expected, _test.Error);
        Assert.Empty(_test.Out);
    }

    [Theory]
    [InlineData("linf", "8/255")]
    [InlineData("l2", "0.5")]
    public void Two_classes_and_images_of_one_pixel_give_a_labelled_result(string norm, string eps)
    {
        using (var device = Device.Cpu(1))
        {
            ModelSpec spec = new("preactresnet18", new Shape(1, 1, 1, 1), 2) { Width = 4, Blocks = 1 };
            Safetensors.Write(_model, ModelCatalog.Build(device, spec, seed: 1).State(), ModelMetadata.Write(spec));
        }
        Npz.Write(_data, [new NamedArray("images", ElementType.U8, [4, 1, 1, 1], new byte[] { 0, 80, 160, 255 }),
            NamedArray.FromInt64("labels", [0, 1, 0, 1], 4)]);
        Assert.Equal(0, _test.Run("eval", _model, "--data", $"npz:{_data}", "--attacks", "aa,cw,deepfool", "--norm", norm, "--eps", eps,
            "--out", _test.PathOf("out")));
        Assert.Contains("AA (K=2, adapted)", _test.Out);
        using var verify = new TestHost();
        Assert.Equal(0, verify.Run("eval", "verify", _test.PathOf("out")));
        Assert.Contains("warning [class-count]", _test.Out);
        Assert.DoesNotContain("nan", _test.Out, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public void A_model_that_returns_probabilities_is_warned_of()
    {
        using (var device = Device.Cpu(1))
        {
            FeatureClassifier net = ModelCatalog.Build(device, _spec, seed: 1);
            net.Parameters.Parameters.First(p => p.Name == "linear.weight").Upload(new float[320]);
            net.Parameters.Parameters.First(p => p.Name == "linear.bias").Upload([.. Enumerable.Repeat(0.1f, 10)]);
            Safetensors.Write(_model, net.State(), ModelMetadata.Write(_spec));
        }
        Assert.Equal(0, _test.Run("eval", _model, "--data", $"npz:{_data}", "--attacks", "fgsm", "--out", _test.PathOf("out")));
        Assert.Contains("warning [probabilities]", _test.Out);
    }

    [Fact]
    public void Corruptions_are_averaged_over_the_grid()
    {
        string folder = WriteCorruptions(), csv = _test.PathOf("grid.csv");
        Assert.Equal(0, _test.Run("eval", "corruptions", _model, "--folder", folder, "--csv", csv));
        Assert.Contains("15 corruptions x 5 severities", _test.Out);
        string[][] lines = [.. File.ReadAllLines(csv).Select(line => line.Split(','))];
        Assert.All(lines, line => Assert.Equal(76, line.Length));
        File.Delete(Path.Combine(folder, "fog.npy"));
        Assert.Equal(3, _test.Run("eval", "corruptions", _model, "--folder", folder));
        Assert.Contains("fog.npy", _test.Error);
    }

    [Fact]
    public void Labels_above_the_networks_classes_are_refused()
    {
        Npz.Write(_data, [new NamedArray("images", ElementType.U8, [1, 1, 8, 8], new byte[64]), NamedArray.FromInt64("labels", [12], 1)]);
        Assert.Equal(2, _test.Run("eval", _model, "--data", $"npz:{_data}", "--out", _test.PathOf("out")));
        Assert.Contains("labels above the 10 classes", _test.Error);
    }

    private string WriteCorruptions()
    {
        string folder = Directory.CreateDirectory(_test.PathOf("c")).FullName;
        Npy.Write(Path.Combine(folder, "labels.npy"), NamedArray.FromInt64("labels", [1, 2, 3], 3));
        var pixels = new byte[15 * 64];
        var random = new Random(4);
        foreach (string name in Corruptions.Names)
        {
            random.NextBytes(pixels);
            Npy.Write(Path.Combine(folder, $"{name}.npy"), new NamedArray(name, ElementType.U8, [15, 8, 8, 1], pixels));
        }
        return folder;
    }
}
