using Rpat.Trainer.Cli;

namespace Rpat.Trainer.Bench;

/// <summary>The result of a self-test at first use, as it is stored.</summary>
/// <param name="Model">The GPU's model name; all GPUs of a model share one result.</param>
internal sealed record FirstUseResult(
    string Model, string Driver, string Precision, string Version, bool Passed, int Kernels, DateTimeOffset When);

/// <summary>
/// Before a GPU is first used with a driver and a version of this program, every kernel is checked against double precision: each driver
/// compiles the kernels itself, and drivers have compiled wrongly. A pass is recorded in the user's cache folder and the test not repeated.
/// </summary>
internal sealed class FirstUse(CommandContext host)
{
    /// <summary>The environment variable that skips the test when it is <c>off</c>.</summary>
    public const string Variable = "RPAT_SELF_TEST";

    private const int MostBytes = 1 << 20;

    private static readonly JsonSerializerOptions _format =
        new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, WriteIndented = true };

    /// <summary>Few images, so that it takes seconds: odd sizes with every variant, and whole tiles.</summary>
    private static IEnumerable<CaseGroup> Groups => OpCases.All.SelectMany(op => op.Ragged().Concat(op.Layers(batch: 4)));

    /// <summary>Tests the named device, unless it is a CPU or has passed before.</summary>
    /// <exception cref="DeviceException">A kernel computes wrongly, or the GPU cannot be used.</exception>
    public void Require(string device, string precision)
    {
        string name = DeviceFactory.Settle(device, static _ => { });
        if (GpuBackend.Find().Devices.FirstOrDefault(gpu => gpu.Name == name) is not { Problem: null } found) return; // opening it says why
        Require(found, precision, () =>
        {
            using var opened = DeviceFactory.Named(name, precision);
            return [.. new SelfTest(opened, Groups, TimeSpan.Zero).Run()];
        });
    }

    /// <summary>The same with a given test.</summary>
    internal void Require(GpuInfo gpu, string precision, Func<IReadOnlyList<SelfTestLine>> test)
    {
        if (IsOff())
        {
            host.Note($"note: {gpu.Name} is used without its self-test ({Variable}=off)");
            return;
        }
        if (Read(PathOf(gpu, precision)) is { Passed: true } kept && IsOf(kept, gpu, precision)) return;
        host.Note($"{gpu.Name}: first use of {gpu.Model} with driver {DriverOf(gpu)} in {precision}, each kernel is tested ({Variable}=off "
            + "leaves that out)");
        var lines = test();
        SelfTestLine[] wrong = [.. lines.Where(line => !(line.Error <= line.Allowed(precision)))];
        var now = host.Clock.GetLocalNow();
        Keep(gpu, precision, new(gpu.Model, DriverOf(gpu), precision, MachineInfo.ProgramVersion(), wrong.Length == 0, lines.Count, now));
        if (wrong.Length > 0) throw new DeviceException(Sentence(gpu, precision, wrong, lines.Count));
    }

    /// <summary>What is recorded for a GPU with its current driver and this version of the program.</summary>
    public IReadOnlyList<FirstUseResult> Kept(GpuInfo gpu) =>
        [.. from precision in Enum.GetNames<Precision>().Select(name => name.ToLowerInvariant())
            let kept = Read(PathOf(gpu, precision))
            where kept is not null && IsOf(kept, gpu, precision)
            select kept];

    private bool IsOff() => host.Environment.GetValueOrDefault(Variable, "on") switch
    {
        "off" => true,
        "on" or "" => false,
        var other => throw new UsageException($"{Variable} is '{other}' in the environment: give on or off."),
    };

    private static string Sentence(GpuInfo gpu, string precision, SelfTestLine[] wrong, int count) => string.Create(
        CultureInfo.InvariantCulture,
        $"{gpu.Name} ({gpu.Model}) computes wrongly with driver {DriverOf(gpu)}: {wrong.Length} of {count} kernels in {precision}, "
            + $"'{wrong[0].Name}' by {wrong[0].Error:G2} of its largest value where {wrong[0].Allowed(precision):G2} is rounding; install "
            + $"another driver ('rpat devices --self-test {gpu.Name} --precision {precision}' shows all), or use --device cpu.");

    private static string DriverOf(GpuInfo gpu) => gpu.Driver.Length > 0 ? gpu.Driver : $"of CUDA {gpu.Cuda}";

    private static bool IsOf(FirstUseResult kept, GpuInfo gpu, string precision) =>
        (kept.Model, kept.Driver, kept.Precision, kept.Version) == (gpu.Model, DriverOf(gpu), precision, MachineInfo.ProgramVersion());

    private void Keep(GpuInfo gpu, string precision, FirstUseResult result)
    {
        string path = PathOf(gpu, precision);
        try
        {
            AtomicFile.MakeFolder(Path.GetDirectoryName(path)!);
            AtomicFile.WriteText(path, JsonSerializer.Serialize(result, _format) + "\n");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            host.Warn($"note: the self-test's result could not be kept, so that it will run again ({error.Message.TrimEnd('.')}): set "
                + "XDG_CACHE_HOME to a folder that can be written");
        }
    }

    // A file that cannot be read counts as absent.
    private static FirstUseResult? Read(string path)
    {
        try
        {
            return File.Exists(path) ? JsonSerializer.Deserialize<FirstUseResult>(RegularFile.ReadBytes(path, MostBytes), _format) : null;
        }
        catch (Exception error) when (error is JsonException or IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private string PathOf(GpuInfo gpu, string precision)
    {
        string name = $"{gpu.Model} {DriverOf(gpu)} {precision} {MachineInfo.ProgramVersion()}";
        string file = string.Concat(name.Select(c => char.IsAsciiLetterOrDigit(c) || c == '.' ? c : '-')) + ".json";
        return Path.Combine(Folder(), "rpat", "self-test", file);
    }

    private string Folder()
    {
        if (host.Environment.GetValueOrDefault("XDG_CACHE_HOME") is { Length: > 0 } cache && Path.IsPathRooted(cache)) return cache;
        string home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        return OperatingSystem.IsWindows() || home.Length == 0
            ? Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData)
            : Path.Combine(home, ".cache");
    }
}
