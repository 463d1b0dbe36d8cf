using System.Globalization;
using System.Runtime.InteropServices;
using ILGPU;

namespace Rpat.Ilgpu.Emulator.Execution;

/// <summary>
/// The shared memory of one group: poisoned, and watched. A view hands out references, so reads and writes cannot be told apart
/// when they happen; instead every word that a thread touches is noted with its value, and compared when the thread stops: a
/// changed word was written. Two threads that touch a word in one barrier interval, one of them writing, race.
/// </summary>
internal sealed unsafe class SharedArena : IDisposable
{
    /// <summary>What a GPU gives one group statically, in bytes.</summary>
    public const int StaticLimit = 48 * 1024;

    /// <summary>What an H100 gives one group in all, in bytes.</summary>
    public const int Limit = 227 * 1024;

    private const int Words = Limit / sizeof(uint) + 16;

    private readonly byte* _memory = (byte*)NativeMemory.AlignedAlloc(Words * sizeof(uint), 256);
    private readonly MemoryBlock* _blocks = (MemoryBlock*)NativeMemory.AllocZeroed((nuint)(64 * sizeof(MemoryBlock)));
    private readonly WordHistory[] _history = new WordHistory[Words];
    private readonly uint[] _before = new uint[Words];
    private readonly int[] _touchedIn = new int[Words]; // the segment in which a word was last noted
    private readonly List<int> _touched = [];
    private readonly int[] _writtenIn = new int[Words];
    private readonly int[] _atomicIn = new int[Words];
    private readonly int[] _plain = new int[Words]; // accesses of the segment that were not atomic
    private readonly bool[] _underway = new bool[Words]; // an asynchronous copy may write it at any time
    private bool _metered;
    private int _segment;
    private int _used, _count;
    private SharedMemoryConfig _dynamic;

    /// <summary>The group's barrier interval; a barrier of the whole group ends it.</summary>
    public int Interval { get; private set; } = 1;

    public byte* Base => _memory;

    /// <summary>Bytes in use, the dynamic part included.</summary>
    public int Used => _used;

    /// <summary>Where the dynamic part begins, in bytes.</summary>
    public ulong DynamicOffset => _dynamic.UsesDynamicSharedMemory ? (ulong)(_blocks[0].Data - _memory)
        : throw Fault.In("asks for the address of dynamic shared memory, but the launch gave none");

    /// <summary>Begins a group: everything is poison again.</summary>
    /// <param name="dynamic">What the launch asks for.</param>
    /// <param name="metered">Whether lanes note their accesses.</param>
    public void Start(SharedMemoryConfig dynamic, bool metered)
    {
        MemoryBlock.Fill(_memory, _used);
        Array.Clear(_history, 0, _used / sizeof(uint) + 1);
        Array.Clear(_underway, 0, _used / sizeof(uint) + 1);
        (_used, _count, _dynamic, _metered) = (0, 0, dynamic, metered);
        if (dynamic.UsesDynamicSharedMemory) Place(dynamic.ArraySize, 16, Limit);
    }

    public void NextInterval() => Interval++;

    /// <summary>The dynamic memory as elements of a type.</summary>
    public ArrayView<T> Dynamic<T>()
        where T : unmanaged
    {
        if (!_dynamic.UsesDynamicSharedMemory) throw Fault.In("asks for dynamic shared memory, but the launch gave none");
        return new ArrayView<T>(_blocks, 0, _dynamic.ArraySize / sizeof(T));
    }

    /// <summary>The next static allocation of a thread.</summary>
    public ArrayView<T> Allocate<T>(Lane lane, int extent)
        where T : unmanaged
    {
        int number = lane.Allocations++ + (_dynamic.UsesDynamicSharedMemory ? 1 : 0);
        if (number == _count) Place(extent * sizeof(T), Math.Min(16, sizeof(T) & -sizeof(T)), StaticLimit);
        if (_blocks[number].Bytes != (long)extent * sizeof(T))
            throw Fault.In($"allocates shared arrays in another order than the threads before it: {extent} of {typeof(T).Name}");
        return new ArrayView<T>(_blocks + number, 0, extent);
    }

    /// <summary>Notes that the running thread reads or writes some bytes.</summary>
    public void Touch(byte* address, int bytes)
    {
        if (_metered) Lane.Current.Accesses.Add(new SharedAccess((int)(address - _memory), bytes));
        Mark(address, bytes);
    }

    /// <summary>An asynchronous copy begins: nobody may look at its target or write there before the thread has waited for it.</summary>
    public void BeginCopy(byte* target, int bytes) => Underway(target, bytes).Fill(true);

    /// <summary>A copy has arrived, which is a write of the thread that waited for it.</summary>
    public void EndCopy(byte* target, int bytes)
    {
        Underway(target, bytes).Clear();
        Mark(target, bytes);
        Written(target, bytes);
    }

    private Span<bool> Underway(byte* target, int bytes) => _underway.AsSpan((int)((target - _memory) / sizeof(uint)), bytes / sizeof(uint));

    private void Mark(byte* address, int bytes)
    {
        int first = (int)((address - _memory) / sizeof(uint)), last = (int)((address + bytes - 1 - _memory) / sizeof(uint));
        for (int word = first; word <= last; word++)
        {
            if (_underway[word]) throw Fault.In($"accesses shared memory to which a copy is under way that nobody has waited for, {Where(word)}");
            if (_touchedIn[word] == _segment)
            {
                _plain[word]++;
                continue;
            }
            _touchedIn[word] = _segment;
            _plain[word] = 1;
            _before[word] = ((uint*)_memory)[word];
            _touched.Add(word);
        }
    }

    /// <summary>Notes an atomic operation: those may meet each other, but nothing else.</summary>
    public void TouchAtomic(byte* address)
    {
        if (!Contains(address)) return;
        long word = (address - _memory) / sizeof(uint);
        _plain[word]--; // the reference that the operation was given counted as a plain access
        _atomicIn[word] = _segment;
    }

    /// <summary>Notes a write that happens now or later, whatever it changes.</summary>
    public void TouchWrite(byte* address, int bytes)
    {
        Touch(address, bytes);
        Written(address, bytes);
    }

    private void Written(byte* address, int bytes)
    {
        for (long word = (address - _memory) / sizeof(uint); word <= (address + bytes - 1 - _memory) / sizeof(uint); word++) _writtenIn[word] = _segment;
    }

    /// <summary>Whether an address lies in this memory.</summary>
    public bool Contains(byte* address) => address >= _memory && address < _memory + Words * sizeof(uint);

    /// <summary>A thread begins to run.</summary>
    public void BeginSegment()
    {
        _segment++;
        _touched.Clear();
    }

    /// <summary>A thread stops running: checks what it touched.</summary>
    public void EndSegment(Lane lane)
    {
        foreach (int word in _touched) Check(lane, word);
        _touched.Clear();
    }

    public void Dispose()
    {
        NativeMemory.AlignedFree(_memory);
        NativeMemory.Free(_blocks);
    }

    // No array is aligned better than its element type asks for, so that code which relies on luck fails.
    private void Place(int bytes, int alignment, int limit)
    {
        int at = (_used + alignment - 1) & -alignment;
        if (alignment < 16 && at % (2 * alignment) == 0) at += alignment;
        if (at + bytes > limit) throw Fault.In($"needs {at + bytes} bytes of shared memory, more than {limit}");
        _blocks[_count++] = new MemoryBlock { Data = _memory + at, Bytes = bytes, Kind = MemoryKind.Shared };
        MemoryBlock.Fill(_memory + (_used & ~3), at + bytes + 4 - (_used & ~3));
        _used = at + bytes;
    }

    private void Check(Lane lane, int word)
    {
        bool atomic = _atomicIn[word] == _segment;
        bool written = !atomic && (_writtenIn[word] == _segment || ((uint*)_memory)[word] != _before[word]);
        if (!written && !_history[word].Written && _before[word] == MemoryBlock.Poison)
            throw Fault.In(lane, $"reads shared memory that no thread has written, {Where(word)}");
        if (!atomic || _plain[word] > 0) Note(lane, word, written ? Access.Write : Access.Read);
        if (atomic) Note(lane, word, Access.Atomic);
    }

    private void Note(Lane lane, int word, Access access)
    {
        string? race = _history[word].Note(lane, Interval, access);
        if (race is not null)
        {
            string verb = access == Access.Read ? "reads" : "writes";
            throw Fault.In(lane, $"{verb} shared memory that {race} since the last barrier, {Where(word)}");
        }
    }

    private string Where(int word)
    {
        byte* address = _memory + word * sizeof(uint);
        for (int i = 0; i < _count; i++)
        {
            long at = address - _blocks[i].Data;
            if (at >= -3 && at < _blocks[i].Bytes)
                return string.Create(CultureInfo.InvariantCulture, $"byte {Math.Max(0, at)} of {Name(i)} of {_blocks[i].Bytes} bytes");
        }
        return "outside every array";
    }

    private string Name(int block) => _dynamic.UsesDynamicSharedMemory
        ? block == 0 ? "the dynamic array" : $"static array {block}"
        : $"static array {block + 1}";
}
