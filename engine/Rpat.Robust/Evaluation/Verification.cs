using System.Runtime.InteropServices;
using System.Text.Json;
using Rpat.Engine;
using Rpat.Engine.IO;
using Rpat.Engine.Nn;

namespace Rpat.Robust;

/// <summary>What re-checking an evaluation from its files alone found.</summary>
/// <param name="Examples">Adversarial images that were looked at.</param>
/// <param name="Problems">One sentence each; none when the evaluation holds.</param>
/// <param name="Columns">The columns as counted again from the ledger.</param>
public sealed record Verification(int Examples, IReadOnlyList<string> Problems, IReadOnlyList<ColumnResult> Columns)
{
    /// <summary>
    /// Checks every counted example of a folder: norm in double, box, misclassification, at another batch size than the evaluation's;
    /// hashes of images, and the accuracies against the ledger. Nothing of the attacks' code is involved.
    /// </summary>
    /// <param name="folder">A finished evaluation.</param>
    /// <param name="net">The network, loaded again.</param>
    /// <param name="modelHash">SHA-256 of its file.</param>
    /// <param name="batch">Images at a time.</param>
    /// <param name="transform">A step in front of the network that belongs to the defence, or null.</param>
    /// <exception cref="DataException">Files are missing or damaged.</exception>
    public static Verification Run(string folder, Classifier net, string modelHash, int batch = 37, InputTransform? transform = null)
    {
        var manifest = ManifestOf(folder);
        var files = new Files(folder, manifest);
        var problems = new List<string>();
        if (modelHash != manifest.ModelHash) problems.Add($"the checkpoint's SHA-256 is {modelHash}, the evaluation's was {manifest.ModelHash}");
        if (files.DataHash != manifest.DataHash) problems.Add("images or labels in the folder are not those of the manifest");
        var ledger = Ledger.Read(folder);
        CheckClean(files, ledger, net, batch, problems);
        int examples = 0;
        foreach (var group in ledger.Where(e => e is { Eps: >= 0, Fooled: true }).GroupBy(e => (e.Eps, e.Suite)))
            examples += CheckGroup(files, [.. group], net, batch, transform, problems);
        return new Verification(examples, problems, CheckReport(folder, manifest, ledger, problems));
    }

    /// <summary>What a folder's evaluation is.</summary>
    /// <exception cref="DataException">It is no evaluation's folder.</exception>
    public static EvaluationManifest ManifestOf(string folder)
    {
        string path = Path.Combine(folder, EvaluationManifest.FileName);
        if (!File.Exists(path)) throw new DataException($"'{folder}' has no {EvaluationManifest.FileName}: give the folder of an evaluation.");
        return RobustEvaluation.ReadManifest(File.ReadAllText(path)) ?? throw new DataException($"'{path}' is damaged: run the evaluation again.");
    }

    /// <summary>Channels, height and width of a folder's images.</summary>
    /// <exception cref="DataException">They are missing or damaged.</exception>
    public static Shape ImageOf(string folder) => new Files(folder, ManifestOf(folder)).Image;

    private static void CheckClean(Files files, IReadOnlyList<LedgerEntry> ledger, Classifier net, int batch, List<string> problems)
    {
        var clean = ledger.Where(e => e.Eps < 0).OrderBy(e => e.Sample).ToList();
        if (clean.Count != files.Labels.Length || clean.Where((e, i) => e.Sample != i).Any())
        {
            problems.Add($"the ledger has {clean.Count} clean predictions for {files.Labels.Length} images");
            return;
        }
        int[] predicted = Predict(net, files.Images, batch, null);
        foreach (var e in clean.Where(e => predicted[e.Sample] != e.Prediction || e.Fooled != (predicted[e.Sample] != files.Labels[e.Sample])))
            problems.Add($"image {e.Sample}: predicted {predicted[e.Sample]} without attack, the ledger says {e.Prediction}");
    }

    private static int CheckGroup(Files files, LedgerEntry[] entries, Classifier net, int batch, InputTransform? transform, List<string> problems)
    {
        float[] examples = files.Examples(entries[0].Eps, entries[0].Suite);
        int size = files.Image.SampleCount;
        float[] fooled = [.. entries.SelectMany(e => examples.AsSpan(e.Sample * size, size).ToArray())];
        int[] predicted = Predict(net, fooled, batch, transform);
        for (int i = 0; i < entries.Length; i++)
        {
            var e = entries[i];
            string where = $"image {e.Sample} in {e.Suite} at eps {files.Manifest.Eps[e.Eps]}";
            ReadOnlySpan<float> u = fooled.AsSpan(i * size, size), x = files.Images.AsSpan(e.Sample * size, size);
            if (Ledger.DigestOf(u) != e.Digest) problems.Add($"{where}: the stored example is not the one in the ledger");
            if (!RobustEvaluation.IsFeasible(x, u, files.Norm, files.Manifest.EpsValues[e.Eps])) problems.Add(FormattableString.Invariant($"{where}: lies outside ball or box (distance {files.Norm.Distance(x, u):R})"));
            if (predicted[i] == files.Labels[e.Sample]) problems.Add($"{where}: is classified correctly");
        }
        return entries.Length;
    }

    /// <summary>Predictions in batches of a size, without any of the attacks' machinery.</summary>
    private static int[] Predict(Classifier net, float[] images, int batch, InputTransform? transform)
    {
        int size = net.InputShape.SampleCount, count = images.Length / size;
        var predicted = new int[count];
        for (int from = 0; from < count; from += batch)
        {
            int n = Math.Min(batch, count - from);
            float[] rows = images[(from * size)..((from + n) * size)];
            for (int i = 0; transform is not null && i < n; i++)
                transform.Apply(images.AsSpan((from + i) * size, size), net.InputShape, new Rpat.Engine.Random.RandomKey(0, Rpat.Engine.Random.Purpose.Noise, 0, from + i, 0, 0).Stream(), rows.AsSpan(i * size, size));
            Tensor x = Tensor.From(net.Device, net.InputShape.WithBatch(n), rows);
            var tape = new Tape(net.Device);
            Tensor z = tape.Keep(net.Forward(tape, x, BnMode.Eval));
            tape.Forward();
            float[] logits = z.ToArray();
            for (int i = 0; i < n; i++) predicted[from + i] = Predictions.ArgMax(logits.AsSpan(i * net.Classes, net.Classes));
            net.Device.Free(x.Data);
        }
        return predicted;
    }

    private static List<ColumnResult> CheckReport(string folder, EvaluationManifest manifest, IReadOnlyList<LedgerEntry> ledger, List<string> problems)
    {
        string path = Path.Combine(folder, EvaluationReport.FileName);
        var report = File.Exists(path) ? JsonSerializer.Deserialize<EvaluationReport>(File.ReadAllText(path), EvaluationManifest.Format) : null;
        if (report is null) throw new DataException($"'{folder}' has no {EvaluationReport.FileName}: finish the evaluation with --resume first.");
        int clean = ledger.Count(e => e.Eps < 0 && !e.Fooled);
        if (clean != report.CleanCorrect || manifest.Images != report.Images) problems.Add($"the report counts {report.CleanCorrect} of {report.Images} clean, the ledger {clean} of {manifest.Images}");
        var columns = new List<ColumnResult>();
        foreach (var column in report.Columns)
        {
            int robust = clean - ledger.Where(e => e.Eps == column.Eps && e.Suite == column.Suite && e.Fooled).Select(e => e.Sample).Distinct().Count();
            if (robust != column.Robust) problems.Add($"the report counts {column.Robust} robust images in {column.Suite}, the ledger {robust}");
            columns.Add(column with { Robust = robust });
        }
        return columns;
    }

    /// <summary>The arrays of a folder.</summary>
    private sealed class Files
    {
        private readonly string _folder;

        public Files(string folder, EvaluationManifest manifest)
        {
            (_folder, Manifest, Norm) = (folder, manifest, Norm.Parse(manifest.Norm));
            var images = Npy.Read(Path.Combine(folder, "images.npy"));
            if (images.Shape.Length != 4) throw new DataException($"'images.npy' in '{folder}' is not [N, C, H, W]: run the evaluation again.");
            Image = new Shape(1, (int)images.Shape[1], (int)images.Shape[2], (int)images.Shape[3]);
            Images = images.ToFloats();
            Labels = Array.ConvertAll(Npy.Read(Path.Combine(folder, "labels.npy")).ToInt64(), v => (int)v);
        }

        public EvaluationManifest Manifest { get; }
        public Norm Norm { get; }
        public Shape Image { get; }
        public float[] Images { get; }
        public int[] Labels { get; }

        public string DataHash => EvaluationManifest.HashOf(MemoryMarshal.AsBytes(Images.AsSpan()).ToArray(), MemoryMarshal.AsBytes(Labels.AsSpan()).ToArray());

        public float[] Examples(int eps, string suite)
        {
            float[] examples = Npy.Read(Path.Combine(_folder, ExampleStore.NameOf(eps, suite))).ToFloats();
            return examples.Length == Images.Length ? examples
                : throw new DataException($"'{ExampleStore.NameOf(eps, suite)}' in '{_folder}' does not hold one example for each image: run the evaluation again.");
        }
    }
}
