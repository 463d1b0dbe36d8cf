using Rpat.Robust;
using Rpat.Trainer.View;

namespace Rpat.Trainer.Training;

/// <summary>Running means of an epoch: the loss, its parts, and the accuracy on what was trained on.</summary>
internal sealed class EpochStatistics(TrainingStep step)
{
    private readonly Dictionary<string, double> _parts = [];
    private double _loss;
    private int _correct;

    /// <summary>Images seen so far.</summary>
    public int Images { get; private set; }

    /// <summary>Mean loss.</summary>
    public double Loss => _loss / Math.Max(1, Images);

    /// <summary>Loss of the last batch.</summary>
    public double LastLoss { get; private set; }

    /// <summary>Mean of each part, without its weight.</summary>
    public IReadOnlyList<Metric> LossParts => [.. _parts.Select(p => new Metric(p.Key, p.Value / Math.Max(1, Images)))];

    /// <summary>Share of correct predictions on the training views.</summary>
    public IReadOnlyList<Metric> Accuracies => [new Metric("adv_acc", (double)_correct / Math.Max(1, Images))];

    /// <summary>Takes in the step that has just run.</summary>
    public void Add(ReadOnlySpan<int> labels)
    {
        LastLoss = step.Loss.Read();
        _loss += LastLoss * labels.Length;
        foreach (var term in step.Loss.Terms)
            for (int part = 0; part < term.Parts.Count; part++)
                _parts[term.Parts[part]] = _parts.GetValueOrDefault(term.Parts[part]) + term.ReadPart(part) * labels.Length;
        _correct += Predictions.CountCorrect(step.Logits, labels);
        Images += labels.Length;
    }
}
