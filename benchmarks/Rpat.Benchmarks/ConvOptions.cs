namespace Rpat.Benchmarks;

/// <summary>What <c>conv</c> measures: <c>--batch N --threads N --conv auto|direct --filter TEXT[,TEXT…] --pass fwd|dx|dw</c>.</summary>
/// <param name="Batch">Images.</param>
/// <param name="Threads">Threads.</param>
/// <param name="Conv">Which algorithms may be chosen.</param>
/// <param name="Filter">Only layers whose name contains one of these.</param>
/// <param name="Pass">Only this pass, or all.</param>
internal sealed record ConvOptions(int Batch, int Threads, ConvolutionAlgorithm Conv, string Filter, string Pass)
{
    public const string Usage = "conv [--batch N] [--threads N] [--conv auto|direct] [--filter TEXT[,TEXT...]] [--pass fwd|dx|dw]";

    /// <summary>Whether to measure a layer.</summary>
    public bool Wants(ConvLayer layer) => Filter.Split(',').Any(part => layer.ToString().Contains(part, StringComparison.Ordinal));

    public static ConvOptions Parse(string[] args)
    {
        var options = new ConvOptions(64, Environment.ProcessorCount, ConvolutionAlgorithm.Auto, "", "");
        foreach (var (option, value) in OptionPairs.Of(args)) options = options.With(option, value);
        return options;
    }

    private ConvOptions With(string option, string value) => option switch
    {
        "--batch" => this with { Batch = OptionPairs.Count(option, value) },
        "--threads" => this with { Threads = OptionPairs.Count(option, value) },
        "--conv" => this with { Conv = OptionPairs.Algorithm(option, value) },
        "--filter" => this with { Filter = value },
        "--pass" => this with { Pass = PassName(value) },
        _ => throw new ArgumentException($"option '{option}' is unknown: use --batch, --threads, --conv, --filter or --pass."),
    };

    private static string PassName(string value) =>
        value is "fwd" or "dx" or "dw" ? value : throw new ArgumentException($"--pass '{value}' is unknown: use fwd, dx or dw.");
}
