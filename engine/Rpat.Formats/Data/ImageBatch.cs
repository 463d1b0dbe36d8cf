namespace Rpat.Formats.Data;

/// <summary>
/// One training batch in host memory: augmented images, optionally a second view of them, labels, and what CutMix mixed. Loading
/// is a pure function of the set, the options, the seed, the epoch and the batch's number, and allocates nothing.
/// </summary>
public sealed class ImageBatch
{
    private readonly LabeledImages _set;
    private readonly BatchOptions _options;
    private readonly float[] _images, _second, _scratch;
    private readonly byte[] _pixels, _room;
    private readonly int[] _labels, _partners, _partnerLabels;
    private readonly long[] _samples;
    private readonly PolicyRun? _policy;
    private ulong _seed;
    private bool _made;

    /// <summary>Makes an empty batch.</summary>
    /// <exception cref="ArgumentException">The options contradict each other.</exception>
    public ImageBatch(LabeledImages set, BatchOptions options)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.Size);
        if (options is { TwoViews: true, Mixes: true })
            throw new ArgumentException("CutMix or mixup has no meaning for a method that trains on two views: choose one.",
                nameof(options));
        if (options is { CutMix: > 0, Mixup: > 0 })
            throw new ArgumentException("CutMix and mixup both mix all images of a batch: choose one.", nameof(options));
        if (options.OnDemand && (options.TwoViews || options.Mixes || options.More is not null || options.HasPolicy))
            throw new ArgumentException("Second views, mixed images, more images and those of a policy are made with their batch: leave "
                + "OnDemand out.", nameof(options));
        (_set, _options) = (set, options);
        if (options.HasPolicy)
            _policy = set.Channels is 1 or 3 ? new PolicyRun(options.Policy!, set)
                : throw new ArgumentException($"A policy is for images of 1 or 3 channels, and those of '{set.Name}' have {set.Channels}.",
                    nameof(options));
        int values = checked(options.Size * set.ImageSize);
        _images = new float[values];
        _second = options.TwoViews ? new float[values] : [];
        (_pixels, _room) = options.More is null ? ([], []) : (new byte[set.ImageSize], new byte[set.ImageSize]);
        _scratch = options.Mixes ? new float[values] : [];
        (_labels, _partners, _partnerLabels) = (new int[options.Size], new int[options.Size], new int[options.Size]);
        _samples = new long[options.Size];
    }

    /// <summary>The number of images.</summary>
    public int Count { get; private set; }

    /// <summary>The epoch that it was loaded for.</summary>
    public int Epoch { get; private set; }

    /// <summary>The images, [N, C, H, W] in [0, 1].</summary>
    public ReadOnlySpan<float> Images
    {
        get
        {
            if (!_made) Make();
            return _images.AsSpan(0, Count * _set.ImageSize);
        }
    }

    /// <summary>A second view of the same images; empty unless the options request it.</summary>
    public ReadOnlySpan<float> SecondView => _second.AsSpan(0, Math.Min(_second.Length, Count * _set.ImageSize));

    /// <summary>The class of each image, [N].</summary>
    public ReadOnlySpan<int> Labels => _labels.AsSpan(0, Count);

    /// <summary>The class of the image that each one was mixed with, [N]; its own where nothing was mixed.</summary>
    public ReadOnlySpan<int> PartnerLabels => _partnerLabels.AsSpan(0, Count);

    /// <summary>λ: the weight of <see cref="Labels"/>, where <see cref="PartnerLabels"/> weigh 1 - λ; 1 where nothing was mixed.</summary>
    public float Share { get; private set; } = 1;

    /// <summary>The index of each image in the set, [N]; those of <see cref="BatchOptions.More"/> follow the set's.</summary>
    public ReadOnlySpan<long> Samples => _samples.AsSpan(0, Count);

    /// <summary>Fills the batch.</summary>
    /// <param name="indices">Image numbers in the set, and above them those of
    /// <see cref="BatchOptions.More"/>, at most as many as fit.</param>
    /// <param name="number">The batch's number in its epoch, from 0.</param>
    public void Load(ReadOnlySpan<int> indices, ulong seed, int epoch, int number)
    {
        (Count, Epoch, _seed, _made) = (indices.Length, epoch, seed, false);
        for (int i = 0; i < Count; i++) (_labels[i], _partners[i], _samples[i]) = (LabelOf(indices[i]), indices[i], indices[i]);
        if (_options.TwoViews) Make(_options.Augment with { View = 1 }, _second);
        if (!_options.OnDemand) Make();
        Mix(new RandomKey(seed, Purpose.Mix, epoch, number, 0, 0));
    }

    // Until something is mixed, the partners are the images themselves.
    private void Make()
    {
        Make(_options.Augment, _images);
        _made = true;
    }

    private void Make(in AugmentOptions augment, float[] images)
    {
        Span<int> indices = _partners.AsSpan(0, Count);
        int own = 0; // those of the set come first
        while (own < Count && indices[own] < _set.Count) own++;
        CropFlip.Augment(_set, indices[..own], augment, _policy, _seed, Epoch, images.AsSpan(0, own * _set.ImageSize));
        for (int i = own; i < Count; i++)
        {
            _options.More!.Read(indices[i] - _set.Count, _pixels, _room);
            CropFlip.AugmentOne(_set, _pixels, indices[i], augment, _policy, _seed, Epoch,
                images.AsSpan(i * _set.ImageSize, _set.ImageSize));
        }
    }

    private int LabelOf(int index) => index < _set.Count ? _set.Labels[index] : _options.More!.Label(index - _set.Count);

    private void Mix(in RandomKey key)
    {
        Span<int> partners = _partners.AsSpan(0, Count);
        if (_options.CutMix > 0)
            Share = CutMix.Apply(_set, _images.AsSpan(0, Count * _set.ImageSize), _options.CutMix, key, partners, _scratch);
        if (_options.Mixup > 0)
        {
            for (int i = 0; i < Count; i++) partners[i] = i;
            Share = Mixup.Apply(_set.ImageSize, _images.AsSpan(0, Count * _set.ImageSize), _options.Mixup, key, partners, _scratch);
        }
        for (int i = 0; i < Count; i++) _partnerLabels[i] = _labels[Share < 1 ? partners[i] : i];
    }
}
