using System.Net;
using System.Security.Cryptography;

namespace Rpat.Trainer.Distributed;

/// <summary>
/// The processes that <c>--nproc</c> starts on this machine in addition to this one, which is rank 0: the same program with the same
/// command line and torchrun's environment variables. They write to this process's stderr, each line prefixed with the rank.
/// </summary>
internal sealed class Workers : IDisposable
{
    private const int PatienceMs = 10_000;

    private readonly List<Process> _processes = [];

    /// <summary>Starts the other processes on this machine and waits for them.</summary>
    public static (BackgroundProcessGroup Team, Workers Workers) Launch(Transport transport, IReadOnlyList<string> arguments)
    {
        if (transport.Mpi is not null)
            throw new UsageException(
                "run.transport is mpi, for which a launcher must start the processes: write 'mpirun -n N rpat ...' instead of --nproc N.");
        int size = transport.Place.Size;
        using var point = new Rendezvous(IPAddress.Loopback, 0);
        string secret = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
        var workers = Start(size, point.Port, secret, arguments);
        try
        {
            var all = transport.Options with { Token = secret };
            return (new BackgroundProcessGroup(_ => point.Gather(size, all, workers.RequireAlive)), workers);
        }
        catch
        {
            workers.Dispose();
            throw;
        }
    }

    /// <summary>Starts ranks 1 to size − 1.</summary>
    public static Workers Start(int size, int port, string secret, IReadOnlyList<string> arguments)
    {
        var workers = new Workers();
        try
        {
            for (int rank = 1; rank < size; rank++) workers._processes.Add(Start(rank, size, port, secret, arguments));
            return workers;
        }
        catch
        {
            workers.Dispose();
            throw;
        }
    }

    /// <summary>Checks that no process has ended before all have joined.</summary>
    /// <exception cref="DeviceException">One has.</exception>
    public void RequireAlive()
    {
        foreach (var (index, process) in _processes.Index())
            if (process.HasExited)
                throw new DeviceException(FormattableString.Invariant(
                    $"rank {index + 1} has ended with exit code {process.ExitCode} before training began: see what it said."));
    }

    /// <summary>Waits until they have ended, and ends those that do not.</summary>
    public void Dispose()
    {
        foreach (var process in _processes)
        {
            if (!process.WaitForExit(PatienceMs)) process.Kill(entireProcessTree: true);
            process.Dispose();
        }
    }

    private static Process Start(int rank, int size, int port, string secret, IReadOnlyList<string> arguments)
    {
        string program = Environment.ProcessPath ?? throw new UsageException(
            "this process cannot find its own program: start the processes by torchrun, srun or mpirun instead of --nproc.");
        bool isHost = Path.GetFileNameWithoutExtension(program) == "dotnet";
        string library = Path.Combine(AppContext.BaseDirectory, typeof(Workers).Assembly.GetName().Name + ".dll");
        var start = new ProcessStartInfo(program, [.. isHost ? new[] { library } : [], .. arguments]) { UseShellExecute = false };
        foreach (var (name, value) in new (string, int)[] { ("RANK", rank), ("LOCAL_RANK", rank), ("WORLD_SIZE", size),
            ("LOCAL_WORLD_SIZE", size), ("MASTER_PORT", port) })
            start.Environment[name] = value.ToString(CultureInfo.InvariantCulture);
        (start.Environment["MASTER_ADDR"], start.Environment[ProcessGroupSetup.TokenVariable]) = ("127.0.0.1", secret);
        return Process.Start(start) ?? throw new UsageException(
            $"'{program}' cannot be started again: start the processes by torchrun, srun or mpirun instead of --nproc.");
    }
}
