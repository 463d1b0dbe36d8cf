using System.Text.Json.Nodes;

namespace Rpat.Tests.Robust;

/// <summary>The lies, each told as well as its files allow: counts, pictures and settings follow
/// where the liar can make them follow.</summary>
public sealed partial class TamperingTests
{
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
        ["the settings name more steps"] = t => t.Edit("manifest.json",
            m => m["settings"] = JsonNode.Parse(m["settings"]!.ToJsonString().Replace("steps=5", "steps=500"))),
        ["more parts are promised than ran"] = t => t.Manifest(m => m with
        {
            Columns =
            [.. m.Columns.Select(c => c with { Stages = [.. c.Stages.Select(s => s with { Parts = [.. s.Parts, new(9, 9)] })] })]
        }),
        ["a named attack promises fewer steps"] = t => t.Manifest(m => m with
        {
            Columns = [.. m.Columns.Select(c => c with
            { Stages = [.. c.Stages.Select(s => s with { Settings = s.Settings.Replace("steps=100", "steps=1") })] })]
        }),
        ["the seed is another"] = t => t.Edit("manifest.json", m => m["seed"] = 5),
        ["a column is left out of the manifest"] = t => t.Manifest(m => m with
        {
            Columns = [.. m.Columns.Where(c => c.Suite != "small")],
            Suites = m.Suites.Take(2).ToList(),
            Labels = m.Labels.Take(2).ToList()
        }),
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
        ["a prediction under attack is another"] =
            t => t.Lines(e => e is { Eps: 0, Fooled: true }, e => e with { Prediction = (e.Prediction + 1) % 10 }),
        ["a prediction is no class"] = t => t.Lines(e => e is { Eps: 0, Fooled: true }, e => e with { Prediction = 77 }),
        ["a norm is smaller"] = t => t.Lines(e => e is { Eps: 1, Fooled: true, Attack: not "reused" }, e => e with
        { Norm = e.Norm * 0.99 }),
        ["a margin is another"] = t => t.Lines(e => e is { Eps: 1, Fooled: true, Attack: not "reused" }, e => e with
        { Margin = e.Margin - 0.5 }),
        ["a margin belies its verdict"] = t => t.Lines(e => e is { Eps: 1, Fooled: true, Attack: not "reused" }, e => e with
        { Margin = 1e-6 }),
        ["an infinity is told"] = t => t.Lines(e => e is { Eps: 1, Fooled: false }, e => e with { Norm = 1e300 * 10 }),
        ["a line is doubled"] = t => t.Ledger(lines => lines.Append(lines[^1])),
        ["a line is of an image that is none"] = t => t.Ledger(lines => lines.Append(lines[^1] with { Sample = 16 })),
        ["a line is of a column that is none"] = t => t.Ledger(lines => lines.Append(lines[^1] with { Suite = "aa" })),
        ["a line is of a radius that is none"] = t => t.Ledger(lines => lines.Append(lines[^1] with { Eps = 7 })),
        ["a line is of another attack"] = t => t.Lines(e => e is { Eps: 0, Stage: 2 }, e => e with { Attack = "fab-t" }),
        ["a line is of another stage"] = t => t.Lines(e => e is { Eps: 1, Stage: 0, Suite: "small", Fooled: true, Attack: not "reused" },
            e => e with { Stage = 1 }),
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
        ["a warning is made up"] = t => t.Edit("result.json",
            r => r["warnings"]!.AsArray().Add(new JsonObject { ["flag"] = "certified", ["message"] = "by hand" })),
        ["a field is added"] = t => t.Edit("manifest.json", m => m["certified"] = true),
        ["a field is null"] = t => t.Edit("manifest.json", m => m["eps"] = null),
        ["a field is of another type"] = t => t.Edit("result.json", r => r["columns"] = "all robust"),
        ["the layout is declared an old one"] = t => t.Edit("manifest.json", m => m["version"] = 1),
        ["the layout is unknown"] = t => t.Edit("manifest.json", m => m["version"] = 3),
        ["the network is another"] = t => t.Edit("manifest.json", m => m["model_hash"] = "other"),
        ["what was said of the network is another"] = t => t.Edit("manifest.json", m => m["network"] = new JsonObject { ["mean"] = "0.5" }),
    };

    private JsonNode Json(string name) => JsonNode.Parse(File.ReadAllText(Path.Combine(_folder, name)))!;

    private void Write(string name, JsonNode node) =>
        File.WriteAllText(Path.Combine(_folder, name), node.ToJsonString(EvaluationManifest.Format) + "\n");

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
        File.WriteAllText(Path.Combine(_folder, "ledger.jsonl"), Rpat.Robust.Evaluation.Ledger.Text([.. edit(Entries(_folder))]));

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

    private LedgerEntry Victim =>
        Entries(_folder).First(e => e is { Eps: 1, Fooled: true, Suite: "small", Stage: < 2 } && e.Attack != "reused");

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
        return Rpat.Robust.Evaluation.Ledger.DigestOf(x);
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
