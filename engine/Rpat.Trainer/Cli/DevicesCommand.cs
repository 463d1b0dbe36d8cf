using System.CommandLine;
using Rpat.Trainer.Bench;

namespace Rpat.Trainer.Cli;

/// <summary><c>rpat devices</c>: what this machine can compute on, the state of its GPUs, and what is verified about the kernels.</summary>
internal static class DevicesCommand
{
    /// <summary>What is known about the kernels on any GPU until they have been run on one.</summary>
    public const string Proven = "kernels run as PTX in our tests; not run on hardware by us";

    /// <summary>The command, to be added to the root.</summary>
    public static Command Create(CommandContext host)
    {
        var json = new JsonOption();
        var command = new Command("devices", "List what this machine can compute on.") { json.Option };
        command.SetAction(parsed =>
        {
            DeviceRow[] rows = [.. Rows(host)];
            json.Give(parsed, host, () => rows, () => Write(rows, host));
            return ExitCode.Done;
        });
        return SelfTestOption.AddTo(command, host, json);
    }

    /// <summary>The description of a GPU.</summary>
    /// <param name="reading">Its state, or null.</param>
    /// <param name="missing">Why the state is unknown, or null.</param>
    internal static DeviceRow Row(GpuInfo gpu, GpuReading? reading, string? missing, IReadOnlyList<FirstUseResult> tests) =>
        new(gpu.Name, About(gpu)) { Gpu = gpu, Reading = reading, ReadingMissing = missing, Proven = Proven, SelfTests = tests };

    internal static void Write(IReadOnlyList<DeviceRow> rows, CommandContext host)
    {
        int width = rows.Max(row => row.Name.Length);
        foreach (var row in rows)
        {
            host.Tell($"{row.Name.PadRight(width)}  {row.About}", width + 2);
            foreach (string detail in Details(row)) host.Tell($"{new string(' ', width)}  {detail}", width + 4);
        }
    }

    private static IEnumerable<DeviceRow> Rows(CommandContext host)
    {
        using var cpu = Device.Cpu();
        yield return new DeviceRow(cpu.Name, cpu.Description);
        var (gpus, why) = GpuBackend.Find();
        foreach (var gpu in gpus)
        {
            using var sensors = GpuSensors.Open(gpu, out string? missing);
            yield return Row(gpu, sensors?.Read(), missing, new FirstUse(host).Kept(gpu));
        }
        if (why is not null) yield return new DeviceRow("cuda", $"none: {why}");
    }

    private static string About(GpuInfo gpu)
    {
        string driver = gpu.Driver.Length > 0
            ? $"driver {gpu.Driver} (CUDA {gpu.Cuda}, PTX {gpu.Ptx})"
            : $"driver of CUDA {gpu.Cuda} (PTX {gpu.Ptx})";
        string about = string.Create(
            CultureInfo.InvariantCulture, $"{gpu.Model}, {gpu.MemoryBytes >> 30} GiB, {gpu.Multiprocessors} multiprocessors, compute "
                + $"capability {gpu.Capability}, {driver}");
        return gpu.Problem is null ? about : $"{about}; cannot be used, since {gpu.Problem}";
    }

    private static IEnumerable<string> Details(DeviceRow row)
    {
        if (row.Reading is { } reading) yield return $"now: {reading}";
        if (row.ReadingMissing is { } missing) yield return $"now: unknown, since {missing}";
        if (row.Proven is { } proven) yield return $"proven: {proven}";
        foreach (var test in row.SelfTests ?? [])
            yield return string.Create(CultureInfo.InvariantCulture, $"self-test: {(test.Passed ? "passed" : "FAILED")} here in "
                + $"{test.Precision} on {test.When:yyyy-MM-dd}");
        if (row.SelfTests is { Count: 0 }) yield return $"self-test: not run here yet, 'rpat devices --self-test {row.Name}' does";
    }
}

/// <summary>A device in the list.</summary>
/// <param name="Name">What <c>--device</c> takes.</param>
internal sealed record DeviceRow(string Name, string About)
{
    /// <summary>A GPU's properties.</summary>
    public GpuInfo? Gpu { get; init; }

    /// <summary>A GPU's current state.</summary>
    public GpuReading? Reading { get; init; }

    /// <summary>Why the state is unknown, as the end of a sentence.</summary>
    public string? ReadingMissing { get; init; }

    /// <summary>What is known about the kernels on it.</summary>
    public string? Proven { get; init; }

    /// <summary>Results of the self-test at first use with its driver.</summary>
    public IReadOnlyList<FirstUseResult>? SelfTests { get; init; }
}
