using System.Security.Cryptography;

namespace Rpat.Training.Evaluation;

/// <summary>A network and the images that it is measured on.</summary>
/// <param name="Hash">Identifies the network: the file, and the user's options for it.</param>
/// <param name="Images">The same as <c>[N, C, H, W]</c> in [0,1].</param>
internal sealed record EvalSubject(LoadedNetwork Network, string Hash, LabeledImages Set, float[] Images)
{
    /// <summary>Number of images.</summary>
    public int Count => Set.Count;

    /// <summary>True classes.</summary>
    public int[] Labels => Set.Labels;

    /// <summary>Opens both.</summary>
    /// <param name="note">Receives what should be known before a result is trusted.</param>
    /// <exception cref="UsageException">They do not belong together.</exception>
    public static EvalSubject Open(EvalOptions options, Device device, Action<string> note)
    {
        var data = DataSets.Open(options.Data, options.DataDir);
        foreach (string line in data.Notes) note($"note: {line}");
        var images = Part(data.Test, options);
        RequireRadius(options.Norm, options.Radii[^1].Value, images);
        foreach (string line in Suspect(options, data.Test.Count)) note(line);
        var network = Load(device, options, images, line => note($"note: {line}"));
        RequireFit(network, images);
        var values = new float[images.Count * images.ImageSize];
        images.CopyFloats([.. Enumerable.Range(0, images.Count)], values);
        return new EvalSubject(network, HashOf(network, options.Weights), images, values);
    }

    /// <summary>The same on another device.</summary>
    public EvalSubject On(Device device, EvalOptions options) => this with { Network = Load(device, options, Set, static _ => { }) };

    /// <summary>The plan of its evaluation.</summary>
    /// <exception cref="UsageException">An attack cannot be made on such images with these options.</exception>
    public EvaluationPlan Plan(EvalOptions options, int batch)
    {
        var net = Network.Net;
        var plan = options.Plan(Network.Path, Hash, net.Classes, batch) with { Architecture = Network.Spec.Name };
        try
        {
            plan.Check(net.InputShape, net.Classes);
            return plan;
        }
        catch (ArgumentException error)
        {
            throw new UsageException(error.Message, error);
        }
    }

    /// <summary>What identifies a network: SHA-256 of its file, and the user's options for it, if any.</summary>
    public static string HashOf(LoadedNetwork network, WeightChoice choice)
    {
        string hash = HashOf(network.Path);
        string said = string.Join('|', choice.Said().Select(pair => $"{pair.Key}={pair.Value}"));
        return said.Length == 0 ? hash : $"{hash}+{EvaluationManifest.ShortHash(said)}";
    }

    /// <summary>SHA-256 of a file.</summary>
    public static string HashOf(string file)
    {
        using var stream = RegularFile.Open(file);
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    }

    /// <summary>Writes the clean logits.</summary>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public void SaveLogits(string path, int batch)
    {
        using Evaluator evaluator = new(Network.Net, batch);
        Npy.Write(path, NamedArray.FromFloats("logits", evaluator.Logits(Set), Count, Network.Net.Classes));
    }

    private static LoadedNetwork Load(Device device, EvalOptions options, LabeledImages images, Action<string> note)
    {
        try
        {
            var image = new Shape(1, images.Channels, images.Height, images.Width);
            return NetworkFile.Load(device, options.Checkpoint, options.Weights, note, image);
        }
        catch (OutOfMemoryException error)
        {
            throw new DeviceException($"out of memory: '{options.Checkpoint}' alone does not fit: give --memory more, or none.", error);
        }
    }

    private static IEnumerable<string> Suspect(EvalOptions options, int images) =>
    [
        .. SuspectValues.Eps("--eps", options.Norm, options.Radii[^1].Value),
        .. SuspectValues.Step("--step-size", options.Step, options.Radii[0].Value),
        .. SuspectValues.Above("--n", options.Count, images - options.First, "images", "all of them are measured"),
    ];

    private static LabeledImages Part(LabeledImages all, EvalOptions options)
    {
        if (options.First >= all.Count)
            throw new UsageException($"--first is {options.First}, and '{all.Name}' has the images 0 to {all.Count - 1}: give less.");
        int count = options.Count == 0 ? all.Count - options.First : Math.Min(options.Count, all.Count - options.First);
        return options.First == 0 ? all.Take(count) : all.Subset([.. Enumerable.Range(options.First, count)]);
    }

    /// <summary>Refuses a radius within which every image is another one.</summary>
    /// <exception cref="UsageException">It is.</exception>
    public static void RequireRadius(Norm norm, double eps, LabeledImages images)
    {
        double most = norm.Distance(new float[images.ImageSize], [.. Enumerable.Repeat(1f, images.ImageSize)]); // black and white
        if (eps > most) throw new UsageException(FormattableString.Invariant(
            $"--eps is {Format.Pixels(eps)}, and no two images are farther apart than {most:0.##} in {norm.Name}: give less."));
    }

    /// <summary>Refuses images that are none of a network's.</summary>
    /// <exception cref="UsageException">They are not.</exception>
    public static void RequireFit(LoadedNetwork network, LabeledImages images)
    {
        var (own, classes) = (network.Net.InputShape, network.Net.Classes);
        if (own.C != images.Channels)
            throw new UsageException($"'{network.Path}' takes images of {Format.Count(own.C, "channel")}, '{images.Name}' has "
                + $"{Format.Count(images.Channels, "channel")}: choose other --data.");
        if ((own.H, own.W) != (images.Height, images.Width))
            throw new UsageException(
                $"'{network.Path}' takes images of {own.C}x{own.H}x{own.W}, '{images.Name}' has "
                    + $"{images.Channels}x{images.Height}x{images.Width}: choose other --data.");
        if (images.Labels.Any(label => label >= classes))
            throw new UsageException($"'{images.Name}' has labels above the {classes} classes of '{network.Path}': choose other --data.");
    }
}
