namespace Rpat.Robust.Attacks;

/// <summary>
/// One run of APGD for L1 (Croce and Hein, ICML'21; attacks.md 2.9): steps without momentum along the gradient's largest values. After
/// every window the share of values that a step moves follows how sparse the best point is; where it became sparser the run returns to
/// that point and to the whole step, otherwise the step shrinks.
/// </summary>
internal sealed class SparseWalk
{
    private const double Slack = 1.5, Sparser = 0.95, LeastStep = 0.1, FirstShare = 0.2;

    private readonly L1Geometry _ball = (L1Geometry)NormGeometry.L1;
    private readonly Subject _subject;
    private readonly double _eps;
    private readonly int _window;
    private float[] _point, _gradient = [], _bestGradient = [];
    private float[]? _adversarial;
    private double _bestLoss, _step, _share;
    private int _since, _changed, _foundAt = -1, _bestAt = -1;
    private bool _bestSucceeds;

    /// <param name="known">Whether the start is an earlier run's end, which says how sparse to be.</param>
    public SparseWalk(Subject subject, float[] start, double eps, int steps, bool known)
    {
        (_subject, _eps, _step, _window) = (subject, eps, eps, Math.Max((int)(0.04 * steps), 1));
        (_point, Best) = (start, start);
        _changed = known ? Changed(start) : start.Length;
        _share = known ? _changed / Slack / start.Length : FirstShare;
    }

    public float[] Best { get; private set; }

    public bool Fooled => _adversarial is not null;

    public void Begin(Query at)
    {
        (_gradient, _bestGradient, _bestLoss) = (at.Gradient, at.Gradient, at.Loss);
        _bestSucceeds = _subject.Succeeds(at.Logits);
        if (_bestSucceeds) _adversarial = _point;
        _subject.Tell("loss", 0, at.Loss);
    }

    public float[] Step()
    {
        float[] v = L1Geometry.Ascend(_point, _gradient, _step, _share);
        _ball.Project(_subject.Image, v, _eps);
        return _point = v;
    }

    public void Arrive(int iteration, Query at)
    {
        _gradient = at.Gradient;
        bool succeeds = _subject.Succeeds(at.Logits);
        if (succeeds) (_adversarial, _foundAt) = (_point, iteration);
        if (at.Loss > _bestLoss)
            (Best, _bestGradient, _bestLoss, _bestAt, _bestSucceeds) = (_point, at.Gradient, at.Loss, iteration, succeeds);
        _subject.Tell("loss", iteration + 1, at.Loss);
        _subject.Tell("best", iteration + 1, _bestLoss);
        if (++_since == _window) Review();
    }

    public AttackResult Result(bool best) => best || !Fooled
        ? new(Best, _bestSucceeds, _bestLoss, _bestAt) : new(_adversarial!, true, _bestLoss, _foundAt);

    private void Review()
    {
        int now = Changed(Best);
        bool sparser = (double)now / _changed < Sparser;
        (_share, _changed, _since) = (now / Slack / Best.Length, now, 0);
        _step = Math.Clamp(sparser ? _eps : _step / Slack, LeastStep * _eps, _eps);
        if (sparser) (_point, _gradient) = (Best, _bestGradient);
    }

    private int Changed(float[] u)
    {
        int count = 0;
        for (int i = 0; i < u.Length; i++)
            if (u[i] != _subject.Image[i]) count++;
        return count;
    }
}
