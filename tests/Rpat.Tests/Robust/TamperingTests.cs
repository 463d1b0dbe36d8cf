using System.Text.Json.Nodes;
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
            new AttackSuite("small", "small", [Apgd.CrossEntropy with { Eps = eps, Steps = 3 }, Apgd.Targeted with
                { Eps = eps, Steps = 8, Targets = 3 }, new Square { Eps = eps, Steps = 20 }]),
        ],
    };
}

/// <summary>What <c>eval verify</c> must refuse: any change of any file, and every lie that survives a new digest.</summary>
public sealed partial class TamperingTests(TamperingFixture sound) : IClassFixture<TamperingFixture>
{
    // What no file but the ledger knows: how an attack came to its point, and at which cost.
    private static readonly string[] _word = ["iteration", "forwards", "backwards", "zero_gradients", "bad_gradients"];

    // For people, or told apart by the hash beside it.
    private static readonly string[] _names = ["model", "data", "architecture"];

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

    // Else a refusal below could be of the way in which these tests write.
    [Fact]
    public void An_evaluation_that_is_written_and_sealed_again_without_a_lie_holds()
    {
        Copy();
        foreach (string name in (string[])["manifest.json", "result.json"]) Write(name, Json(name));
        Ledger(lines => lines);
        Reseal();
        var result = Verify(_folder);
        Assert.Empty(result.Problems);
        Assert.Equal(Verify(sound.Folder).Digest, result.Digest);
    }

    public static TheoryData<string> FileNames => ["manifest.json", "result.json", "ledger.jsonl", "journal.jsonl", "images.npy",
        "labels.npy", "SHA256SUMS", "adversarial-0-pgd5.npy", "adversarial-1-small.npy"];

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
            Write(name, root);
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
        foreach (var kind in lines.GroupBy(e => (e.Eps < 0, e.Fooled, e.Attack == "reused", e.Stage)))
            EveryField(kind.ElementAt(kind.Count() / 2));
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
            Ledger(_ => lines);
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

    private static List<LedgerEntry> Entries(string folder) => [.. Rpat.Robust.Evaluation.Ledger.Read(folder)];
}
