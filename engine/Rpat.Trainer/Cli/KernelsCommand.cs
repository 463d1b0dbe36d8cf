using System.CommandLine;
using Rpat.Trainer.Bench;

namespace Rpat.Trainer.Cli;

/// <summary><c>rpat bench kernels</c>: each kernel's time on a device, and its share of the device's peak.</summary>
internal sealed class KernelsCommand
{
    private const long CopyWords = 1 << 26; // 256 MiB, five times the largest cache of a GPU

    private readonly CommandContext _host;
    private readonly BenchOutput _output;

    private readonly DeviceOption _device;
    private readonly Option<string> _precision = Choice("--precision", "how a GPU's convolutions multiply", "fp32", "tf32", "bf16");
    private readonly Option<string> _conv = Choice("--conv", "convolution algorithms of the CPU", "auto", "direct");
    private readonly ThreadsOption _threads = new();
    private readonly Option<int> _batch = Number("--batch-size", "images", 128);
    private readonly Option<int> _rounds = Number("--rounds", "how often each kernel is timed", 5);
    private readonly Option<bool> _list = new("--list") { Description = "print the names of kernels, ops and categories, and stop" };
    private readonly Option<int> _time = Number("--time", "least milliseconds of a round", 20);

    private KernelsCommand(CommandContext host) =>
        (_host, _device, _output) = (host, new DeviceOption(host), new BenchOutput(host, "kernels", KernelTable.Categories));

    /// <summary>The command, to be added to <c>bench</c>.</summary>
    public static Command Create(CommandContext host)
    {
        var kernels = new KernelsCommand(host);
        var command =
            new Command("kernels", "Time every kernel at the sizes of PreActResNet-18, and show its share of the device's measured peak.")
        {
            kernels._device.Option, kernels._precision, kernels._conv, kernels._threads.Option, kernels._batch, kernels._rounds,
            kernels._time, kernels._list,
        };
        kernels._output.AddTo(command);
        command.SetAction(kernels.Run);
        return command;
    }

    private int Run(ParseResult parsed)
    {
        var request = _output.Read(parsed);
        if (_host.Plugins.Count > 0) _host.Warn("note: these are the engine's own kernels; 'rpat bench ptx' compiles those of a plugin.");
        if (parsed.GetValue(_list))
        {
            _output.RefuseComparison(parsed, _list.Name);
            parsed.RefuseOptions($"does not go with {_list.Name}, which times nothing", _device.Option, _precision, _conv, _threads.Option,
                _batch, _rounds, _time);
            return List(request);
        }
        if (request.Filters.Count + request.Categories.Count > 0) _ = Wanted(request);
        int batch = Within(parsed, _batch, 1, 4096), rounds = Within(parsed, _rounds, 1, 1000), time = Within(parsed, _time, 0, 60_000);
        var convolution = Enum.Parse<ConvolutionAlgorithm>(Known(parsed, _conv, "auto", "direct"), ignoreCase: true);
        string precision = Known(parsed, _precision, "fp32", "tf32", "bf16");
        using var device = DeviceFactory.Named(_device.Name(parsed), precision, _threads.Value(parsed), convolution);
        string on = $"{device.Name}: {device.Description}; batch {batch}";
        using var watch = GpuWatch.Of(device, _host);
        using var cublas = Yardstick(device);
        var table = new KernelTable(device, op => op.Layers(batch), TimeSpan.FromMilliseconds(time), rounds, CopyWords)
        {
            Library = cublas is null ? null : (size, a, b, c) => cublas.Queue(size.M, size.N, size.K, a, b, c),
            Reading = watch.Read,
        };
        return _output.Finish(request, on, Write(on, request, table));
    }

    // One image shows the names, which do not depend on the batch.
    private static readonly Lazy<List<(string Name, string Op, string Category)>> _names = new(() =>
    {
        using var device = Device.Cpu(1);
        return [.. new KernelTable(device, op => op.Layers(1), TimeSpan.Zero, 1, CopyWords).Names().Distinct()];
    });

    private List<(string Name, string Op, string Category)> Wanted(BenchRequest request)
    {
        var names = _names.Value.Where(one => request.Wants(one.Name, one.Category) || request.Wants(one.Op, one.Category)).ToList();
        return names.Count > 0 ? names : throw _output.Nothing();
    }

    private int List(BenchRequest request)
    {
        var names = Wanted(request);
        string json = JsonOption.Text(names.Select(one => new { one.Name, one.Op, one.Category }));
        if (request.Json is { } file) AtomicFile.WriteText(file, json);
        _host.Out.Write(request.IsOnStdout ? json
            : new TextTable(["kernel", "op", "category"], [.. names.Select(one => (string[])[one.Name, one.Op, one.Category])])
                .Write("text"));
        return ExitCode.Done;
    }

    private GemmYardstick? Yardstick(Device device)
    {
        if (device is not GpuDevice gpu) return null;
        var found = gpu.OpenYardstick(out string? why);
        _host.Note(found is null
            ? $"note: no row of cuBLAS, since {why}"
            : $"note: cuBLAS {found.Version} multiplies matrices of the same size that lie ready for it; what it would take to make them "
                + "of images is not counted");
        return found;
    }

    private List<BenchRow> Write(string on, BenchRequest request, KernelTable table)
    {
        void Head()
        {
            request.Talk.WriteLine(on);
            request.Talk.WriteLine(
                "Of peak: the longer of the times that operations and bytes take at the peak, divided by the median; it may pass 1 where "
                    + "Winograd needs a quarter of the operations, which are a direct convolution's, and where caches hold what moves.");
            request.Talk.WriteLine(KernelTable.Header);
        }

        List<Peak> peaks = [];
        List<BenchRow> rows = [];
        foreach (var line in table.Run(request.Wants))
        {
            if (rows.Count == 0) Head();
            request.Talk.WriteLine(KernelTable.Format(line));
            peaks.Add(line.Peak);
            rows.Add(line.Row);
        }
        if (rows.Count > 0) WritePeaks(peaks, request.Talk);
        if (rows.LastOrDefault(row => row.Gpu is not null)?.Gpu is { } gpu)
            request.Talk.WriteLine($"{gpu} after the last row; --json has it for each");
        return rows;
    }

    private static void WritePeaks(List<Peak> peaks, TextWriter output) =>
        output.WriteLine(
        $"peak: {Range(peaks.Select(peak => peak.Flops))} GFLOP/s of multiply-adds on registers, "
            + $"{Range(peaks.Select(peak => peak.Bytes))} GB/s of copies of 256 MiB");

    private static string Range(IEnumerable<double> values)
    {
        double[] rising = [.. values.Order()];
        return string.Create(CultureInfo.InvariantCulture,
            $"{KernelClock.Median(rising) / 1e9:F1} ({rising[0] / 1e9:F1}–{rising[^1] / 1e9:F1})");
    }

    private static Option<string> Choice(string name, string description, params string[] values) => new(name)
    {
        Description = description,
        HelpName = string.Join('|', values),
        DefaultValueFactory = _ => values[0],
    };

    private static Option<int> Number(string name, string description, int value) => new(name)
    {
        Description = description,
        HelpName = "N",
        DefaultValueFactory = _ => value,
    };

    private static string Known(ParseResult parsed, Option<string> option, params string[] values)
    {
        string value = parsed.GetValue(option)!;
        if (values.Contains(value)) return value;
        throw new UsageException($"{option.Name} {value} is unknown: give {string.Join(", ", values[..^1])} or {values[^1]}.");
    }

    private static int Within(ParseResult parsed, Option<int> option, int least, int most)
    {
        int value = parsed.GetValue(option);
        return value >= least && value <= most ? value
            : throw new UsageException($"{option.Name} {value} is out of range: give {least} to {most}.");
    }
}
