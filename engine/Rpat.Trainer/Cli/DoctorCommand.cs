using System.CommandLine;

namespace Rpat.Trainer.Cli;

/// <summary><c>rpat doctor</c>: machine, devices, memory, disk, data and settings on one page, to be pasted into a bug report.</summary>
internal static class DoctorCommand
{
    /// <summary>The command, to be added to the root.</summary>
    public static Command Create(CommandContext host)
    {
        var json = new JsonOption();
        var doctor = new Command("doctor", "Describe machine, devices, disk and settings on one page, for bug reports.") { json.Option };
        doctor.SetAction(parsed =>
        {
            json.Give(parsed, host, () => Lines(host).Select(line => new { line.Name, line.Value }), () =>
            {
                foreach (var (name, value) in Lines(host)) host.Tell($"{name,-12}  {value}", 14);
            });
            return ExitCode.Done;
        });
        return doctor;
    }

    private static IEnumerable<(string Name, string Value)> Lines(CommandContext host)
    {
        var machine = MachineInfo.Here();
        yield return ("rpat", machine.Version);
        yield return ("runtime", machine.Runtime);
        yield return ("system", machine.Os);
        yield return ("cpu", string.Create(CultureInfo.InvariantCulture,
            $"{machine.Cpu}, {machine.Cores} logical cores, {machine.VectorBits}-bit vectors"));
        yield return ("memory", string.Create(CultureInfo.InvariantCulture, $"{machine.MemoryMib:N0} MiB for this process"));
        foreach (var line in Devices()) yield return line;
        string runs = RunsOption.Folder(host);
        string data = host.Environment.GetValueOrDefault(DataDirOption.Variable) is { Length: > 0 } given ? given : DataFolders.Default;
        yield return ("runs", $"{Path.GetFullPath(runs)}: {Disk(runs)}");
        string state = Directory.Exists(data) ? "there" : $"not there: {DataDirOption.Variable} names another";
        yield return ("data folder", $"{Path.GetFullPath(data)}: {state}");
        yield return ("clock", host.Clock.GetLocalNow().ToString("yyyy-MM-dd HH:mm:ss zzz", CultureInfo.InvariantCulture));
        foreach (string name in DataSets.All.Select(set => set.Name).Where(name => !name.Contains(':')))
            yield return ("data", $"{name}: {Found(name, host)}");
        foreach (var (name, value) in host.Environment.Where(pair => IsSetting(pair.Key)).OrderBy(pair => pair.Key, StringComparer.Ordinal))
            yield return ("environment", $"{name}={(IsSecret(name) ? "(set, not shown)" : value)}");
    }

    private static bool IsSecret(string name) => new[] { "SECRET", "TOKEN", "PASSWORD", "KEY" }.Any(
        word => name.Contains(word, StringComparison.OrdinalIgnoreCase));

    private static bool IsSetting(string name) =>
        name.StartsWith("RPAT_", StringComparison.OrdinalIgnoreCase) || name.StartsWith("DOTNET_", StringComparison.Ordinal)
        || name is "NO_COLOR" or "CI" or "TERM" or "CUDA_VISIBLE_DEVICES";

    private static IEnumerable<(string, string)> Devices()
    {
        using var cpu = Device.Cpu();
        yield return ("device", $"{cpu.Name}: {cpu.Description}");
        var (gpus, why) = GpuBackend.Find();
        foreach (var gpu in gpus) yield return ("device", $"{gpu.Name}: {gpu.Model}, {gpu.MemoryBytes >> 30} GiB");
        if (why is not null) yield return ("device", $"no GPU: {why}");
    }

    private static string Disk(string folder)
    {
        var place = new DirectoryInfo(Path.GetFullPath(folder));
        while (!place.Exists && place.Parent is not null) place = place.Parent;
        string probe = Path.Combine(place.FullName, $".rpat-doctor-{Environment.ProcessId}");
        try
        {
            new FileStream(probe, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1, FileOptions.DeleteOnClose).Dispose();
            return $"writable, {Sizes.Text(new DriveInfo(place.FullName).AvailableFreeSpace)} free";
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return $"NOT WRITABLE ({error.Message.TrimEnd('.')}): choose another with --out or RPAT_RUNS";
        }
    }

    private static string Found(string name, CommandContext host)
    {
        try
        {
            return DataSets.Open(name, host.Environment.GetValueOrDefault("RPAT_DATA")).Source;
        }
        catch (Exception error) when (error is not OutOfMemoryException) // a plugin's set may throw anything
        {
            return "not found or damaged: 'rpat data' says what is looked for, and where";
        }
    }
}
