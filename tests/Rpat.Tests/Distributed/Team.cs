using System.Net;
using System.Runtime.ExceptionServices;

namespace Rpat.Tests.Distributed;

/// <summary>Ranks of a team as threads of this process, over real connections.</summary>
internal static class Team
{
    public static ProcessGroupOptions Options { get; } = new("1.0", "same")
    { JoinTimeout = TimeSpan.FromSeconds(60), HeartbeatTimeout = TimeSpan.FromSeconds(60) };

    /// <summary>Does the same in every rank and returns what each made; the first exception of any rank is thrown.</summary>
    public static T[] Run<T>(int size, Func<IProcessGroup, T> work, ProcessGroupOptions? options = null)
    {
        using var point = new Rendezvous(IPAddress.Loopback, 0);
        int port = point.Port;
        var (results, errors) = (new T[size], new Exception?[size]);
        var threads = Enumerable.Range(0, size).Select(rank => new Thread(() => errors[rank] = Try(() =>
        {
            using var team = rank == 0 ? point.Gather(size, options ?? Options)
                : TcpProcessGroup.Join("localhost", port, rank, size, options ?? Options);
            try
            {
                results[rank] = work(team);
            }
            catch (Exception error)
            {
                team.Fail(1, error.Message);
                throw;
            }
        }))).ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());
        // Whoever failed first has told the others, who throw only because of that.
        var first = errors.OfType<Exception>().OrderBy(error => error is PeerLostException).FirstOrDefault();
        if (first is not null) ExceptionDispatchInfo.Throw(first);
        return results;
    }

    public static Exception? Try(Action action)
    {
        try
        {
            action();
            return null;
        }
        catch (Exception error)
        {
            return error;
        }
    }
}
