using Rpat.Trainer.Config;
using Rpat.Trainer.Runs;
using Rpat.Trainer.View;

namespace Rpat.Trainer.Training;

/// <summary>How a training run ended.</summary>
/// <param name="Results">The final evaluations; none when the run stopped before them.</param>
/// <param name="Interrupted">Whether it returned early because it was asked to.</param>
internal sealed record TrainingOutcome(IReadOnlyList<EvaluationResult> Results, bool Interrupted = false);

/// <summary>The work of a run: data, training, checkpoint, evaluation.</summary>
/// <param name="config">What to do.</param>
/// <param name="run">Where files and metrics go.</param>
/// <param name="view">Where progress goes.</param>
/// <param name="stop">Asked after every step; when it says so, the loop saves what it must and returns.</param>
/// <exception cref="Errors.UserException">Anything the user can mend.</exception>
internal delegate TrainingOutcome TrainingLoop(TrainerConfig config, RunFolder run, IProgressView view, StopRequest stop);
