namespace Rpat.PtxMachine.Text;

/// <summary>A flow graph: for each instruction those that may follow it; the number of instructions stands for the end.</summary>
internal sealed class ControlFlow
{
    private readonly List<int>[] _next, _previous;

    public ControlFlow(int count)
    {
        _next = [.. Enumerable.Range(0, count + 1).Select(_ => new List<int>(2))];
        _previous = [.. Enumerable.Range(0, count + 1).Select(_ => new List<int>(2))];
    }

    public int End => _next.Length - 1;

    public void Add(int from, int to)
    {
        _next[from].Add(to);
        _previous[to].Add(from);
    }

    /// <summary>For each instruction the next one that every way to the end meets; -1 where no way leads to the end.</summary>
    public int[] PostDominators() => Dominators(End, _previous, _next);

    /// <summary>The loops, as header and members: where a way leads back to an instruction that every way to it has met.</summary>
    public IEnumerable<(int Header, HashSet<int> Members)> Loops()
    {
        int[] dominators = Dominators(0, _next, _previous);
        return from node in Enumerable.Range(0, End)
               from header in _next[node]
               where dominators[node] >= 0 && Dominates(dominators, header, node)
               group node by header into ends
               select (ends.Key, Members(ends.Key, ends));
    }

    private static bool Dominates(int[] dominators, int header, int node)
    {
        while (node != header && dominators[node] >= 0 && dominators[node] != node) node = dominators[node];
        return node == header;
    }

    private HashSet<int> Members(int header, IEnumerable<int> ends)
    {
        HashSet<int> members = [header];
        Stack<int> open = new(ends);
        while (open.TryPop(out int node))
            if (members.Add(node)) _previous[node].ForEach(open.Push);
        return members;
    }

    // Cooper, Harvey and Kennedy, "A Simple, Fast Dominance Algorithm": immediate dominators by intersection, in reverse postorder.
    private static int[] Dominators(int root, List<int>[] next, List<int>[] previous)
    {
        int[] number = new int[next.Length], dominator = new int[next.Length];
        Array.Fill(number, -1);
        Array.Fill(dominator, -1);
        var order = PostOrder(root, next);
        for (int i = 0; i < order.Count; i++) number[order[i]] = i;
        dominator[root] = root;
        bool changed = true;
        while (changed)
        {
            changed = false;
            for (int i = order.Count - 2; i >= 0; i--) changed |= Update(order[i], previous, number, dominator);
        }
        return dominator;
    }

    private static bool Update(int node, List<int>[] previous, int[] number, int[] dominator)
    {
        int found = -1;
        foreach (int before in previous[node])
        {
            if (number[before] < 0 || dominator[before] < 0) continue;
            found = found < 0 ? before : Intersect(found, before, number, dominator);
        }
        bool changed = dominator[node] != found;
        dominator[node] = found;
        return changed;
    }

    private static int Intersect(int a, int b, int[] number, int[] dominator)
    {
        while (a != b)
        {
            while (number[a] < number[b]) a = dominator[a];
            while (number[b] < number[a]) b = dominator[b];
        }
        return a;
    }

    private static List<int> PostOrder(int root, List<int>[] next)
    {
        List<int> order = [];
        HashSet<int> seen = [root];
        Stack<(int Node, int Child)> open = new([(root, 0)]);
        while (open.TryPop(out var top))
        {
            if (top.Child == next[top.Node].Count)
            {
                order.Add(top.Node);
                continue;
            }
            open.Push((top.Node, top.Child + 1));
            int child = next[top.Node][top.Child];
            if (seen.Add(child)) open.Push((child, 0));
        }
        return order;
    }
}
