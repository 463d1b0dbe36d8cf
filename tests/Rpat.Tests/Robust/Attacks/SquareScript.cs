namespace Rpat.Tests.Robust.Attacks;

/// <summary>
/// The reference's order of draws: what it shares among the images of a batch is drawn when the first image of an iteration asks.
/// Images ask in their order, and all of them once an iteration.
/// </summary>
internal sealed class SquareScript(bool linf, int images, Shape shape)
{
    private readonly Lcg _lcg = new(5);
    private readonly Queue<double>[] _start = new Queue<double>[images];
    private int _iteration = -2;
    private double[] _shared = [];

    public int Drawn => _lcg.Count;

    public Func<double> Numbers(Subject subject, AttackPart part, int iteration)
    {
        if (iteration == -1) return Begin((int)subject.Index);
        if (iteration != _iteration) (_iteration, _shared) = (iteration, _lcg.Fill(linf ? 2 + shape.C : 5));
        int next = 0;
        return () => next < _shared.Length ? _shared[next++] : _lcg.Next();
    }

    private Func<double> Begin(int image)
    {
        if (_start[image] is null) DrawStart();
        return () => _start[image].Dequeue();
    }

    private void DrawStart()
    {
        for (int i = 0; i < images; i++) _start[i] = new Queue<double>();
        int side = Math.Max(1, Math.Min(shape.H, shape.W) / 5), tiles = linf ? 1 : shape.H / side * (shape.W / side);
        for (int tile = 0; tile < tiles; tile++)
        {
            double flip = linf ? 0 : _lcg.Next();
            foreach (var own in _start)
            {
                if (!linf) own.Enqueue(flip);
                foreach (double sign in _lcg.Fill(linf ? shape.C * shape.W : shape.C)) own.Enqueue(sign);
            }
        }
    }
}
