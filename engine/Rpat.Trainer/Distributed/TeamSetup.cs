using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Rpat.Engine.Distributed;
using Rpat.Engine.Gpu;
using Rpat.Trainer.Cli;
using Rpat.Trainer.Config;
using Rpat.Trainer.Errors;
using Rpat.Trainer.Runs;

namespace Rpat.Trainer.Distributed;

/// <summary>How the processes of a run come together, and what each of them takes of its machine.</summary>
internal static class TeamSetup
{
    /// <summary>Checks that a batch can be divided evenly.</summary>
    /// <exception cref="ConfigException">It cannot; the sentence names the nearest sizes that can.</exception>
    public static void RequireDivisible(TrainerConfig config, int size)
    {
        int batch = config.Train.Batch, below = batch / size * size;
        if (below == batch) return;
        string sizes = FormattableString.Invariant($"{(below == 0 ? "" : $"{below} or ")}{below + size}");
        throw new ConfigException($"train.batch is {batch} images, which {size} processes cannot divide evenly: choose {sizes} (--batch-size), or another number of processes.");
    }

    /// <summary>What all processes must have in common: the program, and every key that reaches the weights.</summary>
    public static TeamOptions Options(ResolvedConfig given, IReadOnlyDictionary<string, string> environment)
    {
        var keys = ConfigKeys.All.Where(leaf => !ResumeRules.IsFree(leaf.Path)).Select(leaf => $"{leaf.Path}={given.Values[leaf.Path].Text}");
        string hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', keys))));
        return new TeamOptions(MachineInfo.ProgramVersion(), hash) { Secret = environment.GetValueOrDefault(Workers.SecretVariable) ?? "" };
    }

    /// <summary>A process's share of its machine: cores divided where the number of threads is not given, and a GPU of its own.</summary>
    public static TrainerConfig Local(TrainerConfig config, Place place)
    {
        int threads = config.Run.Threads > 0 ? config.Run.Threads : Math.Max(1, Environment.ProcessorCount / place.LocalSize);
        return config with
        {
            Run = config.Run with { Threads = threads, Processes = place.Size },
            Device = config.Device with { Name = Device(config.Device.Name, place.LocalRank) },
        };
    }

    /// <summary>Waits for the processes that somebody else starts.</summary>
    public static Communicator Host(Place place, TeamOptions options)
    {
        // Local groups listen on loopback only.
        var address = place.Host is "localhost" or "127.0.0.1" ? IPAddress.Loopback : Socket.OSSupportsIPv6 ? IPAddress.IPv6Any : IPAddress.Any;
        using var point = new MeetingPoint(address, place.Port);
        return point.Gather(place.Size, options);
    }

    /// <summary>Starts the other processes on this machine and waits for them.</summary>
    public static (Communicator Team, Workers Workers) Launch(int size, TeamOptions options, IReadOnlyList<string> arguments)
    {
        using var point = new MeetingPoint(IPAddress.Loopback, 0);
        string secret = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
        var workers = Workers.Start(size, point.Port, secret, arguments);
        try
        {
            return (point.Gather(size, options with { Secret = secret }, workers.RequireAlive), workers);
        }
        catch
        {
            workers.Dispose();
            throw;
        }
    }

    /// <summary>The place of the first of several processes that this one starts.</summary>
    public static Place First(int size) => new("--nproc", 0, size, 0, size, "localhost", 0);

    /// <summary>The n-th GPU from the named one on.</summary>
    private static string Device(string name, int localRank)
    {
        const string cuda = "cuda";
        if (name == "auto") name = GpuBackend.First()?.Name ?? "cpu";
        if (name == cuda) name = "cuda:0";
        return name.StartsWith("cuda:", StringComparison.Ordinal) && int.TryParse(name.AsSpan(5), out int first)
            ? FormattableString.Invariant($"cuda:{first + localRank}")
            : name;
    }
}
