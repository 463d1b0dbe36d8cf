namespace Rpat.Trainer.Reproduce;

/// <summary>Commands that train several runs in one process.</summary>
internal static class SeveralTrainings
{
    /// <summary>Refuses them under a launcher whose library begins and ends only once in a process.</summary>
    /// <exception cref="UsageException">It is MPI's.</exception>
    public static void Require(CommandContext host, TransportKind transport, string instead)
    {
        if (Launcher.Find(host.Environment, host.ErrorIsTerminal) is { } place
            && (transport == TransportKind.Mpi || transport != TransportKind.Tcp && place.PrefersMpi))
            throw new UsageException($"{place.Launcher} has started several trainings, and MPI begins only once in a process: {instead}, or "
                + "write --nproc in place of the launcher.");
    }
}
