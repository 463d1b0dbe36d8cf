using System.Globalization;
using Rpat.Engine;

namespace Rpat.Benchmarks;

/// <summary>What <c>conv</c> measures: <c>--batch N --threads N --conv auto|direct --filter TEXT[,TEXT…] --pass fwd|dx|dw</c>.</summary>
/// <param name="Batch">Images.</param>
/// <param name="Threads">Threads.</param>
/// <param name="Conv">Which algorithms may be chosen.</param>
/// <param name="Filter">Only layers whose name contains one of these.</param>
/// <param name="Pass">Only this pass, or all.</param>
internal sealed record ConvOptions(int Batch, int Threads, ConvolutionAlgorithm Conv, string Filter, string Pass)
{
    /// <summary>Whether a layer is to be measured.</summary>
    public bool Wants(ConvLayer layer) => Filter.Split(',').Any(part => layer.ToString().Contains(part, StringComparison.Ordinal));

    public static ConvOptions Parse(string[] args)
    {
        var options = new ConvOptions(64, Environment.ProcessorCount, ConvolutionAlgorithm.Auto, "", "");
        for (int i = 0; i < args.Length; i += 2)
        {
            if (i + 1 == args.Length) throw new ArgumentException($"Option '{args[i]}' has no value: write one behind it.");
            options = options.With(args[i], args[i + 1]);
        }
        return options;
    }

    private ConvOptions With(string option, string value) => option switch
    {
        "--batch" => this with { Batch = Count(option, value) },
        "--threads" => this with { Threads = Count(option, value) },
        "--conv" => this with { Conv = Algorithm(value) },
        "--filter" => this with { Filter = value },
        "--pass" => this with { Pass = PassName(value) },
        _ => throw new ArgumentException($"Option '{option}' is unknown: use --batch, --threads, --conv, --filter or --pass."),
    };

    private static int Count(string option, string value) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int n) && n > 0
            ? n
            : throw new ArgumentException($"'{value}' is no count for {option}: give a whole number above zero.");

    private static string PassName(string value) =>
        value is "fwd" or "dx" or "dw" ? value : throw new ArgumentException($"--pass '{value}' is unknown: use fwd, dx or dw.");

    private static ConvolutionAlgorithm Algorithm(string value) => value switch
    {
        "auto" => ConvolutionAlgorithm.Auto,
        "direct" => ConvolutionAlgorithm.Direct,
        _ => throw new ArgumentException($"--conv '{value}' is unknown: use auto or direct."),
    };
}
