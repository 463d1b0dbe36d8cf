using Rpat.Engine.IO;
using Rpat.Robust;

namespace Rpat.Trainer.Training;

/// <summary>Puts a loaded batch into the form that a training step takes: two views one behind the other, a share for each mixed image.</summary>
internal sealed class StepInput(TrainingStep step)
{
    private float[] _views = [];
    private float[] _shares = [];

    /// <summary>Runs the step on a batch.</summary>
    public void Run(ImageBatch batch, in Moment moment)
    {
        bool mixed = batch.Share < 1;
        step.Run(new TrainingBatch
        {
            Images = step.TwoViews ? BothViews(batch) : batch.Images,
            Labels = batch.Labels,
            Samples = batch.Samples,
            OtherLabels = mixed ? batch.PartnerLabels : default,
            Shares = mixed ? Shares(batch) : default,
        }, moment);
    }

    private ReadOnlySpan<float> BothViews(ImageBatch batch)
    {
        int one = batch.Images.Length;
        if (_views.Length < 2 * one) _views = new float[2 * one];
        batch.Images.CopyTo(_views);
        batch.SecondView.CopyTo(_views.AsSpan(one));
        return _views.AsSpan(0, 2 * one);
    }

    private ReadOnlySpan<float> Shares(ImageBatch batch)
    {
        if (_shares.Length < batch.Count) _shares = new float[batch.Count];
        Array.Fill(_shares, batch.Share);
        return _shares.AsSpan(0, batch.Count);
    }
}
