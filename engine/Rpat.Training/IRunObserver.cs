namespace Rpat.Training;

/// <summary>
/// What rank 0 does in addition to training: it reports, saves and evaluates. The loop calls every observer at each of these points, in the
/// order of its list.
/// </summary>
internal interface IRunObserver
{
    /// <summary>Nothing is trained yet, and the other ranks do not have the run's state yet: the time to restore it.</summary>
    void Open() { }

    /// <summary>All ranks are at the same step, and training begins.</summary>
    void Begin() { }

    /// <summary>Epoch <see cref="RunState.Epoch"/> is trained from here, from its beginning or from where it was interrupted.</summary>
    void EpochBegins() { }

    /// <summary>A step was done and is sound.</summary>
    void Step(float rate) { }

    /// <summary>The limit of steps ends an epoch that can still be completed if the limit is raised.</summary>
    void CutShort() { }

    /// <summary>The steps of an epoch are done; it is not counted yet.</summary>
    void Trained(float rate) { }

    /// <summary>The network was measured on the images that choose a checkpoint.</summary>
    void Measured(double clean, double robust) { }

    /// <summary>The run is at the beginning of the next epoch.</summary>
    /// <param name="whole">Whether the previous one was completed.</param>
    void EpochEnded(bool whole) { }

    /// <summary>A step has diverged.</summary>
    void Diverged(ImageBatch batch, float rate, string reason) { }

    /// <summary>Rolls a diverged run back to a sound state.</summary>
    /// <returns>Whether it did; otherwise the run ends.</returns>
    bool RollBack(DivergedException error) => false;

    /// <summary>A part of a validation or of the final evaluation is done.</summary>
    /// <param name="count">Images in all.</param>
    void Evaluating(string attack, int done, int count, TimeSpan time) { }

    /// <summary>The run is done and measured.</summary>
    void Finished(IReadOnlyList<EvaluationResult> results) { }

    /// <summary>The run ends early because a stop was requested.</summary>
    void Stopped() { }
}
