namespace Rpat.Benchmarks;

/// <summary>What the comparison with PyTorch measures: <c>--model NAME --batch N --threads N --conv auto|direct</c>.</summary>
internal sealed record PeerOptions(string Model, int Batch, int Threads, ConvolutionAlgorithm Conv)
{
    public const string Usage =
        "peer|onnx-peer|speed|profile [--model preactresnet18|wrn-34-10|quick] [--batch N] [--threads N] [--conv auto|direct]";

    public static PeerOptions Parse(string[] args)
    {
        var options = new PeerOptions("preactresnet18", 64, Environment.ProcessorCount, ConvolutionAlgorithm.Auto);
        foreach (var (option, value) in OptionPairs.Of(args))
            options = option switch
            {
                "--model" => options with { Model = value },
                "--batch" => options with { Batch = OptionPairs.Count(option, value) },
                "--threads" => options with { Threads = OptionPairs.Count(option, value) },
                "--conv" => options with { Conv = OptionPairs.Algorithm(option, value) },
                _ => throw new ArgumentException($"option '{option}' is unknown: use --model, --batch, --threads or --conv."),
            };
        return options;
    }
}
