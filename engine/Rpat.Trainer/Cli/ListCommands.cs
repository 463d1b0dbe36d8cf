using System.CommandLine;
using Rpat.Engine;
using Rpat.Engine.Gpu;
using Rpat.Trainer.Errors;

namespace Rpat.Trainer.Cli;

/// <summary>The verbs that look things up: <c>devices</c>.</summary>
internal static class ListCommands
{
    /// <summary>All of them.</summary>
    public static IEnumerable<Command> Create(Host host) =>
    [
        SelfTestOption.AddTo(List(host, "devices", "List what this machine can compute on.", Devices), host),
    ];

    private static Command List(Host host, string name, string about, Func<IEnumerable<(string Name, string About)>> rows)
    {
        var json = new JsonOption();
        var command = new Command(name, about) { json.Option };
        command.SetAction(parsed =>
        {
            (string Name, string About)[] all = [.. rows()];
            int width = all.Max(row => row.Name.Length);
            json.Give(parsed, host, () => all.Select(row => new { row.Name, row.About }), () =>
            {
                foreach (var row in all) host.Out.WriteLine($"{row.Name.PadRight(width)}  {row.About}");
            });
            return ExitCode.Done;
        });
        return command;
    }

    private static IEnumerable<(string, string)> Devices()
    {
        using var cpu = Device.Cpu();
        yield return (cpu.Name, cpu.Description);
        var (gpus, why) = GpuBackend.Find();
        foreach (var gpu in gpus) yield return (gpu.Name, $"{gpu.Model}, {gpu.MemoryBytes >> 30} GiB, {gpu.Multiprocessors} multiprocessors");
        if (why is not null) yield return ("cuda", $"none: {why}");
    }
}
