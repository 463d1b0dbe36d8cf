using System.Text.Json;
using System.Text.Json.Nodes;
using Rpat.Engine;
using Rpat.Engine.IO;
using Rpat.Robust;
using Rpat.Tests.Robust.Attacks;

namespace Rpat.Tests.Robust;

/// <summary>One finished evaluation, of which each test changes a copy.</summary>
public sealed class TamperingFixture : IDisposable
{
    public TamperingFixture()
    {
        Device = Device.Cpu(1);
        M = Fixture.M(Device);
        int[] labels = [.. M.Labels];
        labels[2] = (labels[2] + 1) % 10;
        new RobustEvaluation(M.Net, Plan(), M.Images, labels, Folder, Fixture.Image) { SkipSelfTest = true }.Run(resume: false);
    }

    public Device Device { get; }

    internal Fixture M { get; }

    public string Root { get; } = Directory.CreateTempSubdirectory("rpat-tamper-").FullName;

    public string Folder => Path.Combine(Root, "sound");

    public void Dispose()
    {
        Device.Dispose();
        Directory.Delete(Root, recursive: true);
    }

    private static EvaluationPlan Plan() => new()
    {
        Norm = Norm.Linf,
        Radii = [new("0.01", 0.01), new("1/50", 0.02)],
        Model = "net",
        ModelHash = "net",
        Data = "M",
        SuitesAt = eps =>
        [
            AttackSuite.Of("pgd5", new PgdAttack { Eps = eps, StepSize = eps / 3, Steps = 5 }),
            AttackSuite.Of("apgd-ce", Apgd.CrossEntropy with { Eps = eps }),
            new AttackSuite("small", "small", [Apgd.CrossEntropy with { Eps = eps, Steps = 3 }, Apgd.Targeted with { Eps = eps, Steps = 8, Targets = 3 }, new Square { Eps = eps, Steps = 20 }]),
        ],
    };
}

/// <summary>What <c>eval verify</c> must refuse: any change of any file, and every lie that survives a new digest.</summary>
public sealed class TamperingTests(TamperingFixture sound) : IClassFixture<TamperingFixture>
{
    // What no file but the ledger knows: how an attack came to its point, and at which cost.
    private static readonly string[] _word = ["iteration", "forwards", "backwards", "zero_gradients", "bad_gradients"];

    // For people, or told apart by the hash beside it.
    private static readonly string[] _names = ["model", "data"];

    private string _folder = "";

    [Fact]
    public void The_untouched_evaluation_holds()
    {
        var result = Verify(sound.Folder);
        Assert.Empty(result.Problems);
        Assert.Equal(64, result.Digest.Length);
        Assert.Equal(6, result.Columns.Count);
        Assert.Contains("'small' (small) is a column of the evaluation's own", Assert.Single(result.Notes));
        Assert.Contains(Entries(sound.Folder), e => e.Attack == "reused");
        Assert.Contains(result.Columns, c => c.Robust is > 0 and < 15);
    }

    public static TheoryData<string> FileNames => ["manifest.json", "result.json", "ledger.jsonl", "journal.jsonl", "images.npy", "labels.npy", "SHA256SUMS", "adversarial-0-pgd5.npy", "adversarial-1-small.npy"];

    [Theory]
    [MemberData(nameof(FileNames))]
    public void No_byte_of_any_file_can_change(string name)
    {
        Copy();
        string path = Path.Combine(_folder, name);
        byte[] bytes = File.ReadAllBytes(path);
        for (int region = 0; region < 12; region++)
        {
            byte[] changed = [.. bytes];
            changed[(int)((region + 0.37) / 12 * bytes.Length)] ^= 1;
            File.WriteAllBytes(path, changed);
            AssertRefused($"{name} region {region}");
        }
        File.WriteAllBytes(path, bytes[..^1]);
        AssertRefused($"{name} cut short");
        File.Delete(path);
        AssertRefused($"{name} deleted");
        File.WriteAllBytes(path, []);
        AssertRefused($"{name} emptied");
    }

    [Theory]
    [InlineData("manifest.json")]
    [InlineData("result.json")]
    public void No_field_can_change_even_under_a_new_digest(string name)
    {
        Copy();
        string path = Path.Combine(_folder, name), text = File.ReadAllText(path);
        int fields = Leaves(JsonNode.Parse(text)!).Count();
        for (int i = 0; i < fields; i++)
        {
            JsonNode root = JsonNode.Parse(text)!;
            JsonValue leaf = Leaves(root).ElementAt(i);
            string field = leaf.GetPath();
            if (_names.Contains(field[2..])) continue;
            Change(leaf);
            File.WriteAllText(path, root.ToJsonString(EvaluationManifest.Format) + "\n");
            Reseal();
            AssertRefused($"{name} {field}");
        }
        Assert.True(fields > 30);
    }

    [Fact]
    public void No_line_of_the_ledger_can_be_left_out_doubled_or_changed_even_under_a_new_digest()
    {
        var manifest = Verification.ManifestOf(sound.Folder);
        var lines = Entries(sound.Folder);
        Assert.Empty(new LedgerAudit(manifest, lines).Problems());
        for (int i = 0; i < lines.Count; i++)
        {
            Assert.NotEmpty(new LedgerAudit(manifest, [.. lines[..i], .. lines[(i + 1)..]]).Problems());
            Assert.NotEmpty(new LedgerAudit(manifest, [.. lines, lines[i]]).Problems());
        }
        foreach (var kind in lines.GroupBy(e => (e.Eps < 0, e.Fooled, e.Attack == "reused", e.Stage))) EveryField(kind.ElementAt(kind.Count() / 2));
    }

    public static TheoryData<string> LieNames => [.. Lies.Keys];

    [Theory]
    [MemberData(nameof(LieNames))]
    public void A_lie_under_a_new_digest_is_found(string name)
    {
        Copy();
        Lies[name](this);
        Reseal();
        AssertRefused(name);
    }

    [Fact]
    public void A_folder_without_digest_says_what_cannot_be_certified()
    {
        Copy();
        var manifest = Json("manifest.json");
        foreach (string field in new[] { "classes", "seed", "first", "transform", "network", "columns" }) manifest.AsObject().Remove(field);
        manifest["version"] = 1;
        Write("manifest.json", manifest);
        File.Delete(Path.Combine(_folder, "SHA256SUMS"));
        Assert.Contains("of layout 1, which has no digest", Assert.Single(Verify(_folder).Problems));
        var resume = Assert.Throws<DataException>(() => new RobustEvaluation(sound.M.Net, new EvaluationPlan
        {
            Norm = Norm.Linf,
            Radii = [new("0.01", 0.01)],
            Model = "net",
            ModelHash = "net",
            Data = "M",
            SuitesAt = _ => [],
        }, sound.M.Images, sound.M.Labels, _folder, Fixture.Image).Run(resume: true));
        Assert.Contains("not with 'layout 2'", resume.Message);
    }

    private static Dictionary<string, Action<TamperingTests>> Lies { get; } = new()
    {
        ["a column is relabelled aa-standard"] = t => t.Relabel("small", "aa-standard"),
        ["a column is relabelled as another attack"] = t => t.Relabel("pgd5", "apgd-t"),
        ["a column is relabelled with more steps"] = t => t.Relabel("pgd5", "pgd100"),
        ["a column is labelled as adapted AutoAttack"] = t => t.Relabel("small", "aa-standard(K=10, adapted)"),
        ["the label stands in the report alone"] = t => t.Edit("result.json", r => r["columns"]![2]!["label"] = "aa-standard"),
        ["the label stands in the manifest alone"] = t => t.Edit("manifest.json", m => m["labels"]![2] = "aa-standard"),
        ["the radii are larger"] = t => t.Radii("0.05", 0.05),
        ["a radius is larger by its text alone"] = t => t.Edit("manifest.json", m => m["eps"]![1] = "8/255"),
        ["a radius is larger by its value alone"] = t => t.Edit("manifest.json", m => m["eps_values"]![1] = 8 / 255.0),
        ["the norm is another"] = t => t.Manifest(m => m with { Norm = "l2" }),
        ["the norm is none"] = t => t.Manifest(m => m with { Norm = "l3" }),
        ["the settings are gone"] = t => t.Edit("manifest.json", m => m["settings"] = new JsonArray()),
        ["the settings name more steps"] = t => t.Edit("manifest.json", m => m["settings"] = JsonNode.Parse(m["settings"]!.ToJsonString().Replace("steps=5", "steps=500"))),
        ["more parts are promised than ran"] = t => t.Manifest(m => m with { Columns = [.. m.Columns.Select(c => c with { Stages = [.. c.Stages.Select(s => s with { Parts = [.. s.Parts, new(9, 9)] })] })] }),
        ["a named attack promises fewer steps"] = t => t.Manifest(m => m with { Columns = [.. m.Columns.Select(c => c with { Stages = [.. c.Stages.Select(s => s with { Settings = s.Settings.Replace("steps=100", "steps=1") })] })] }),
        ["the seed is another"] = t => t.Edit("manifest.json", m => m["seed"] = 5),
        ["a column is left out of the manifest"] = t => t.Manifest(m => m with { Columns = [.. m.Columns.Where(c => c.Suite != "small")], Suites = m.Suites.Take(2).ToList(), Labels = m.Labels.Take(2).ToList() }),
        ["a column is left out of the report"] = t => t.Edit("result.json", r => r["columns"]!.AsArray().RemoveAt(5)),
        ["every line that did not fool is deleted"] = t => t.Ledger(lines => lines.Where(e => e.Fooled || e.Eps < 0)),
        ["every line of the last attack is deleted"] = t => t.Ledger(lines => lines.Where(e => e.Stage < 2)),
        ["every line of one target is deleted"] = t => t.Ledger(lines => lines.Where(e => e.Rank != 3)),
        ["a fooled line is flipped with its count"] = t => t.Flip(picture: true),
        ["a fooled line is flipped with its count and its picture"] = t => t.Flip(picture: false),
        ["a fooled line is deleted with its count and its picture"] = t => t.Drop(),
        ["an image is declared broken at the smaller radius only"] = t => t.Ledger(lines => lines.Where(e => e.Attack != "reused")),
        ["a clean prediction is another"] = t => t.Lines(e => e.Eps < 0 && !e.Fooled, e => e with { Prediction = (e.Prediction + 1) % 10 }),
        ["a wrong image is declared right"] = t => t.Lines(e => e.Eps < 0 && e.Fooled, e => e with { Fooled = false }),
        ["a right image is declared wrong"] = t => t.Lines(e => e.Eps < 0 && !e.Fooled, e => e with { Fooled = true }),
        ["a clean margin is another"] = t => t.Lines(e => e.Eps < 0 && !e.Fooled, e => e with { Margin = e.Margin + 0.5 }),
        ["a prediction under attack is another"] = t => t.Lines(e => e is { Eps: 0, Fooled: true }, e => e with { Prediction = (e.Prediction + 1) % 10 }),
        ["a prediction is no class"] = t => t.Lines(e => e is { Eps: 0, Fooled: true }, e => e with { Prediction = 77 }),
        ["a norm is smaller"] = t => t.Lines(e => e is { Eps: 1, Fooled: true, Attack: not "reused" }, e => e with { Norm = e.Norm * 0.99 }),
        ["a margin is another"] = t => t.Lines(e => e is { Eps: 1, Fooled: true, Attack: not "reused" }, e => e with { Margin = e.Margin - 0.5 }),
        ["a margin belies its verdict"] = t => t.Lines(e => e is { Eps: 1, Fooled: true, Attack: not "reused" }, e => e with { Margin = 1e-6 }),
        ["an infinity is told"] = t => t.Lines(e => e is { Eps: 1, Fooled: false }, e => e with { Norm = 1e300 * 10 }),
        ["a line is doubled"] = t => t.Ledger(lines => lines.Append(lines[^1])),
        ["a line is of an image that is none"] = t => t.Ledger(lines => lines.Append(lines[^1] with { Sample = 16 })),
        ["a line is of a column that is none"] = t => t.Ledger(lines => lines.Append(lines[^1] with { Suite = "aa" })),
        ["a line is of a radius that is none"] = t => t.Ledger(lines => lines.Append(lines[^1] with { Eps = 7 })),
        ["a line is of another attack"] = t => t.Lines(e => e is { Eps: 0, Stage: 2 }, e => e with { Attack = "fab-t" }),
        ["a line is of another stage"] = t => t.Lines(e => e is { Eps: 1, Stage: 0, Suite: "small", Fooled: true, Attack: not "reused" }, e => e with { Stage = 1 }),
        ["a picture lies outside the ball, its digest made new"] = t => t.Picture((x, _) => x[3] = x[3] > 0.5f ? x[3] - 0.1f : x[3] + 0.1f),
        ["a picture lies outside the box, its digest made new"] = t => t.Picture((x, _) => x[3] = -0.001f),
        ["a picture is the clean image, its digest made new"] = t => t.Picture((x, clean) => clean.CopyTo(x, 0)),
        ["a picture holds NaN, its digest made new"] = t => t.Picture((x, _) => x[3] = float.NaN),
        ["a picture of another seed stands for the evaluation's"] = t => t.Manifest(m => m with { Seed = 5 }),
        ["a robust image has a picture"] = t => t.Stray(),
        ["an image is another"] = t => t.Array("images.npy", values => values[5] = 1 - values[5]),
        ["a label is another"] = t => t.Labels(labels => labels[0] = (labels[0] + 1) % 10),
        ["a label is none"] = t => t.Labels(labels => labels[0] = -3),
        ["the clean count is larger"] = t => t.Edit("result.json", r => r["clean_correct"] = 16),
        ["the number of images is larger"] = t => t.Edit("result.json", r => r["images"] = 17),
        ["a robust count is larger"] = t => t.Edit("result.json", r => r["columns"]![3]!["robust"] = 15),
        ["a stage's count is larger"] = t => t.Edit("result.json", r => r["columns"]![2]!["stages"]![0]!["robust"] = 15),
        ["a stage is left out"] = t => t.Edit("result.json", r => r["columns"]![2]!["stages"]!.AsArray().RemoveAt(1)),
        ["the warnings are gone"] = t => t.Edit("result.json", r => r["warnings"] = new JsonArray()),
        ["a warning reads otherwise"] = t => t.Edit("result.json", r => r["warnings"]![0]!["message"] = "All is well."),
        ["a warning is made up"] = t => t.Edit("result.json", r => r["warnings"]!.AsArray().Add(new JsonObject { ["flag"] = "certified", ["message"] = "by hand" })),
        ["a field is added"] = t => t.Edit("manifest.json", m => m["certified"] = true),
        ["a field is null"] = t => t.Edit("manifest.json", m => m["eps"] = null),
        ["a field is of another type"] = t => t.Edit("result.json", r => r["columns"] = "all robust"),
        ["the layout is declared an old one"] = t => t.Edit("manifest.json", m => m["version"] = 1),
        ["the layout is unknown"] = t => t.Edit("manifest.json", m => m["version"] = 3),
        ["the network is another"] = t => t.Edit("manifest.json", m => m["model_hash"] = "other"),
        ["what was said of the network is another"] = t => t.Edit("manifest.json", m => m["network"] = new JsonObject { ["mean"] = "0.5" }),
    };

    private void EveryField(LedgerEntry entry)
    {
        Copy();
        var lines = Entries(_folder).ToList();
        int at = lines.IndexOf(entry);
        foreach (var (field, _) in JsonNode.Parse(JsonSerializer.Serialize(entry))!.AsObject().Where(p => !_word.Contains(p.Key)))
        {
            JsonNode node = JsonNode.Parse(JsonSerializer.Serialize(entry))!;
            Change(node[field]!.AsValue());
            lines[at] = node.Deserialize<LedgerEntry>()!;
            File.WriteAllText(Path.Combine(_folder, "ledger.jsonl"), Rpat.Robust.Ledger.Text(lines));
            Reseal();
            AssertRefused($"{field} of {entry}");
        }
    }

    private static IEnumerable<JsonValue> Leaves(JsonNode node) => node switch
    {
        JsonObject o => o.SelectMany(pair => Leaves(pair.Value!)),
        JsonArray a => a.SelectMany(item => Leaves(item!)),
        _ => [node.AsValue()],
    };

    private static void Change(JsonValue leaf) => leaf.ReplaceWith<JsonNode>(leaf.GetValueKind() switch
    {
        JsonValueKind.String => leaf.GetValue<string>() + "x",
        JsonValueKind.Number => leaf.GetValue<double>() + 1,
        JsonValueKind.True => false,
        _ => true,
    });

    private Verification Verify(string folder) => Verification.Run(folder, sound.M.Net, "net");

    private void AssertRefused(string what)
    {
        try
        {
            Assert.True(Verify(_folder).Problems.Count > 0, $"not found: {what}");
        }
        catch (DataException error)
        {
            Assert.DoesNotContain('\n', error.Message);
        }
    }

    private void Copy()
    {
        _folder = Directory.CreateDirectory(Path.Combine(sound.Root, Path.GetRandomFileName())).FullName;
        foreach (string file in Directory.GetFiles(sound.Folder)) File.Copy(file, Path.Combine(_folder, Path.GetFileName(file)));
    }

    /// <summary>What a liar does last: journal and digest as the program would have written them.</summary>
    private void Reseal()
    {
        File.Copy(Path.Combine(_folder, "ledger.jsonl"), Path.Combine(_folder, "journal.jsonl"), overwrite: true);
        try
        {
            Seal.Write(_folder, Verification.ManifestOf(_folder));
        }
        catch (DataException)
        {
            // The manifest cannot even be read, or names files that are not there.
        }
    }

    private static List<LedgerEntry> Entries(string folder) => [.. Rpat.Robust.Ledger.Read(folder)];

    private JsonNode Json(string name) => JsonNode.Parse(File.ReadAllText(Path.Combine(_folder, name)))!;

    private void Write(string name, JsonNode node) => File.WriteAllText(Path.Combine(_folder, name), node.ToJsonString(EvaluationManifest.Format) + "\n");

    private void Edit(string name, Action<JsonNode> edit)
    {
        JsonNode node = Json(name);
        edit(node);
        Write(name, node);
    }

    /// <summary>Changes the manifest and makes its settings agree.</summary>
    private void Manifest(Func<EvaluationManifest, EvaluationManifest> edit)
    {
        var manifest = edit(Verification.ManifestOf(_folder));
        manifest = manifest with { Settings = [.. manifest.Describe()] };
        File.WriteAllText(Path.Combine(_folder, "manifest.json"), manifest.ToJson());
    }

    private void Relabel(string suite, string label)
    {
        Manifest(m => m with
        {
            Columns = [.. m.Columns.Select(c => c.Suite == suite ? c with { Label = label } : c)],
            Labels = [.. m.Suites.Zip(m.Labels, (name, old) => name == suite ? label : old)],
        });
        Edit("result.json", r =>
        {
            foreach (var column in r["columns"]!.AsArray().Where(c => c!["suite"]!.GetValue<string>() == suite)) column!["label"] = label;
        });
    }

    private void Radii(string text, double value) => Manifest(m => m with { Eps = [m.Eps[0], text], EpsValues = [m.EpsValues[0], value] });

    private void Ledger(Func<List<LedgerEntry>, IEnumerable<LedgerEntry>> edit) =>
        File.WriteAllText(Path.Combine(_folder, "ledger.jsonl"), Rpat.Robust.Ledger.Text([.. edit(Entries(_folder))]));

    private void Lines(Func<LedgerEntry, bool> which, Func<LedgerEntry, LedgerEntry> edit)
    {
        var victim = Entries(_folder).First(which);
        Ledger(lines => lines.Select(e => e == victim ? edit(e) : e));
        Recount();
    }

    /// <summary>The result as it follows from the ledger, its warnings aside.</summary>
    private void Recount()
    {
        var (clean, columns) = EvaluationReport.Count(Entries(_folder), Verification.ManifestOf(_folder).Columns);
        var report = EvaluationReport.Read(_folder) with { CleanCorrect = clean, Columns = columns };
        File.WriteAllText(Path.Combine(_folder, "result.json"), JsonSerializer.Serialize(report, EvaluationManifest.Format) + "\n");
    }

    private LedgerEntry Victim => Entries(_folder).First(e => e is { Eps: 1, Fooled: true, Suite: "small", Stage: < 2 } && e.Attack != "reused");

    private void Flip(bool picture)
    {
        var victim = Victim;
        if (!picture) Restore(victim);
        Ledger(lines => lines.Select(e => e == victim ? e with { Fooled = false, Prediction = -1, Norm = 0, Margin = 0, Digest = "" } : e));
        Recount();
    }

    private void Drop()
    {
        var victim = Victim;
        Restore(victim);
        Ledger(lines => lines.Where(e => e != victim));
        Recount();
    }

    private void Restore(LedgerEntry victim) => Picture(victim, (x, clean) => clean.CopyTo(x, 0));

    private void Picture(Action<float[], float[]> edit)
    {
        var victim = Victim;
        string digest = Picture(victim, edit);
        Ledger(lines => lines.Select(e => e == victim ? e with { Digest = digest } : e));
    }

    private string Picture(LedgerEntry victim, Action<float[], float[]> edit)
    {
        float[] x = [];
        Array($"adversarial-{victim.Eps}-{victim.Suite}.npy", values =>
        {
            int from = victim.Sample * 192;
            x = values[from..(from + 192)];
            edit(x, sound.M.Images[from..(from + 192)]);
            x.CopyTo(values, from);
        });
        return Rpat.Robust.Ledger.DigestOf(x);
    }

    private void Stray()
    {
        var broken = Entries(_folder).Where(e => e is { Eps: 0, Suite: "small", Fooled: true }).Select(e => e.Sample).ToHashSet();
        int robust = Enumerable.Range(0, 16).First(i => i != 2 && !broken.Contains(i));
        Array("adversarial-0-small.npy", values => values[robust * 192] = 0.5f);
    }

    private void Array(string name, Action<float[]> edit)
    {
        string path = Path.Combine(_folder, name);
        float[] values = Npy.Read(path).ToFloats();
        edit(values);
        Npy.Write(path, NamedArray.FromFloats("x", values, 16, 3, 8, 8));
    }

    private void Labels(Action<long[]> edit)
    {
        string path = Path.Combine(_folder, "labels.npy");
        long[] values = Npy.Read(path).ToInt64();
        edit(values);
        Npy.Write(path, NamedArray.FromInt64("labels", values, values.Length));
    }
}
