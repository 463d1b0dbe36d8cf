using System.Globalization;

namespace Rpat.Benchmarks;

/// <summary>What the side-by-side measures: <c>--model NAME --batch N --threads N --conv auto|direct</c>.</summary>
internal sealed record PeerOptions(string Model, int Batch, int Threads, string Conv)
{
    public static PeerOptions Parse(string[] args)
    {
        var options = new PeerOptions("preactresnet18", 64, Environment.ProcessorCount, "auto");
        for (int i = 0; i + 1 < args.Length; i += 2)
            options = args[i] switch
            {
                "--model" => options with { Model = args[i + 1] },
                "--batch" => options with { Batch = Number(args[i + 1]) },
                "--threads" => options with { Threads = Number(args[i + 1]) },
                "--conv" => options with { Conv = args[i + 1] },
                _ => throw new ArgumentException($"Option '{args[i]}' is unknown: use --model, --batch, --threads or --conv."),
            };
        return options;
    }

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);
}
